package saslldap_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestListAfterwards: if the list has a better mechanism after the bind, somebody
// changed the list before it. Every other difference says nothing.
func TestListAfterwards(t *testing.T) {
	for name, row := range map[string]struct {
		before, after []string
		class         sasl.Class
	}{
		"the same":          {[]string{"PLAIN"}, []string{"PLAIN"}, ""},
		"better":            {[]string{"PLAIN"}, []string{"PLAIN", "SCRAM-SHA-256"}, sasl.ErrSecurity},
		"worse":             {[]string{"PLAIN"}, []string{"LOGIN", "ANONYMOUS"}, ""},
		"none any more":     {[]string{"PLAIN"}, nil, ""},
		"in other letters":  {[]string{"plain"}, []string{"Plain", "scram-sha-256"}, sasl.ErrSecurity},
		"of another server": {[]string{"PLAIN"}, []string{"GSSAPI", "SCRAM-SHA-256-PLUS"}, ""}, // the connection has no binding
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, p := newPeer(t)
				outcome := bind(t.Context(), client, sasl.PasswordMechanisms(sasl.Password("alice", "pencil"))...)
				p.rootDSE(mechanisms(row.before...))
				p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 0, "", nil))
				p.rootDSE(mechanisms(row.after...))
				got := <-outcome
				if sasl.ClassOf(got.err) != row.class || (got.err == nil) != (row.class == "") || got.result != (sasl.Result{Mechanism: "PLAIN", Username: "alice", RoundTrips: 1}) {
					t.Errorf("%+v", got)
				}
				if p.closed() != (row.class != "") {
					t.Error("closed, or not")
				}
			})
		})
	}
}

// TestRootDSEUnreadable: a server that does not list its mechanisms is sent
// nothing, and the connection stays open.
func TestRootDSEUnreadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		p.say(p.next(ldap.ApplicationSearchRequest).id, result(tagSearchDone, 50, "no", nil))
		if got := <-outcome; !errors.Is(got.err, sasl.ErrPolicy) {
			t.Error(got.err)
		}
		p.nothing()
		// An unreadable root DSE after a bind that has succeeded says nothing.
		outcome = bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 0, "", nil))
		p.say(p.next(ldap.ApplicationSearchRequest).id, result(tagSearchDone, 50, "no", nil))
		if got := <-outcome; got.err != nil {
			t.Error(got.err)
		}
	})
}

// TestMechanismsKnown: the caller's list of mechanisms replaces a missing list, no
// other, and a later list is not compared with it.
func TestMechanismsKnown(t *testing.T) {
	known := &saslldap.Options{Mechanisms: []string{"PLAIN"}}
	ladder := sasl.PasswordMechanisms(sasl.Password("alice", "pencil"))
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeerOf(t, known)
		for _, unread := range []func(){
			func() { p.say(p.next(ldap.ApplicationSearchRequest).id, result(tagSearchDone, 50, "no", nil)) },
			func() { p.rootDSE(attribute("vendorName", "somebody")) },
		} {
			outcome := bind(t.Context(), client, ladder...)
			unread()
			request := p.next(ldap.ApplicationBindRequest)
			if got := request.op.Children[2].Children[0].Value; got != "PLAIN" {
				t.Errorf("bound with %v", got)
			}
			p.say(request.id, result(tagBindResponse, 0, "", nil))
			p.rootDSE(mechanisms("PLAIN", "SCRAM-SHA-512"))
			if got := <-outcome; got.err != nil || got.result.Mechanism != "PLAIN" {
				t.Errorf("%+v", got)
			}
		}
		outcome := bind(t.Context(), client, ladder...)
		p.rootDSE(mechanisms("ANONYMOUS"))
		if got := <-outcome; !errors.Is(got.err, sasl.ErrPolicy) {
			t.Error(got.err)
		}
		p.nothing()
	})
}

// TestRootDSECut: a connection that ends before the answer is an error, unlike a
// server that does not show its list, and later binds do not wait for that answer.
func TestRootDSECut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		done := make(chan error, 1)
		go func() {
			_, err := client.ServerInfo(t.Context())
			done <- err
		}()
		p.next(ldap.ApplicationSearchRequest)
		p.conn.Close()
		if err := <-done; !errors.Is(err, sasl.ErrConnection) {
			t.Errorf("cut: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		client.SetTimeout(time.Second)
		outcome := bind(t.Context(), client)
		p.next(ldap.ApplicationSearchRequest)
		if got := <-outcome; !errors.Is(got.err, sasl.ErrConnection) || errors.Is(got.err, context.DeadlineExceeded) {
			t.Errorf("the library's own time limit: %v", got.err)
		}
		if !p.closed() {
			t.Error("the connection is open")
		}
	})
}

// TestBindingForm: the gs2-header and the data have the form of binding that the
// root DSE or the caller says.
func TestBindingForm(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, host)
	hash := sha256.Sum256(certificate.Leaf.Raw)
	for name, row := range map[string]struct {
		class string
		form  saslldap.BindingForm
		types []string
		want  string // gs2-header and data
	}{
		"of OpenLDAP":         {"OpenLDAProotDSE", saslldap.AutomaticBinding, nil, "p=ldap,,tls-server-end-point:" + string(hash[:])},
		"in other letters":    {"openldapROOTDSE", saslldap.AutomaticBinding, nil, "p=ldap,,tls-server-end-point:" + string(hash[:])},
		"of others":           {"top", saslldap.AutomaticBinding, []string{"tls-server-end-point"}, "p=tls-server-end-point,," + string(hash[:])},
		"of OpenLDAP forced":  {"top", saslldap.OpenLDAPBinding, nil, "p=ldap,,tls-server-end-point:" + string(hash[:])},
		"the standard forced": {"OpenLDAProotDSE", saslldap.StandardBinding, []string{"tls-server-end-point"}, "p=tls-server-end-point,," + string(hash[:])},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := net.Pipe()
			defer near.Close()
			defer far.Close()
			served := make(chan string, 1)
			go func() {
				served <- bindingSent(t, tls.Server(far, &tls.Config{Certificates: []tls.Certificate{certificate}}), row.class)
			}()
			conn := tls.Client(near, &tls.Config{ServerName: host, RootCAs: pool})
			client, err := saslldap.NewConn(t.Context(), conn, host, &saslldap.Options{Binding: row.form})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.SASLBind(t.Context(), &sasl.Client{
				Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "pencil")), BindingTypes: row.types, Binding: sasl.RequireBinding,
			})
			if !errors.Is(err, sasl.ErrAuthentication) {
				t.Error(err)
			}
			near.Close()
			if got := <-served; got != row.want {
				t.Errorf("bound to %q, want %q", got, row.want)
			}
		})
	}
}

// bindingSent serves up to SCRAM's message with the binding, which it returns.
func bindingSent(t *testing.T, conn net.Conn, class string) string {
	w := newWire(conn)
	w.list = "SCRAM-SHA-256 SCRAM-SHA-256-PLUS"
	if err := w.answerRootDSE(class); err != nil {
		t.Error(err)
		return ""
	}
	op, err := w.request()
	if err != nil {
		t.Error(err)
		return ""
	}
	if err := w.Challenge([]byte(serverFirst(t, op))); err != nil {
		t.Error(err)
	}
	_, final, err := w.bind()
	if err != nil {
		t.Error(err)
	}
	encoded, _, _ := strings.Cut(strings.TrimPrefix(string(final), "c="), ",")
	binding, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Error(err)
	}
	if err := w.Refuse(sasl.NotAuthorized); err != nil {
		t.Error(err)
	}
	return string(binding)
}
