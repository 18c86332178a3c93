package saslldap_test

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestServerInfo: the assertions of the caller and the form of the channel bindings
// are in the ServerInfo.
func TestServerInfo(t *testing.T) {
	for name, row := range map[string]struct {
		options     saslldap.Options
		class       string
		enforces    bool
		bindingName string
	}{
		"nothing asserted":    {saslldap.Options{}, "top", false, ""},
		"it enforces":         {saslldap.Options{EnforcesBinding: true}, "top", true, ""},
		"OpenLDAP":            {saslldap.Options{}, "OpenLDAProotDSE", false, "ldap"},
		"OpenLDAP enforces":   {saslldap.Options{EnforcesBinding: true}, "OpenLDAProotDSE", true, "ldap"},
		"OpenLDAP forced":     {saslldap.Options{Binding: saslldap.OpenLDAPBinding}, "top", false, "ldap"},
		"the standard forced": {saslldap.Options{Binding: saslldap.StandardBinding}, "OpenLDAProotDSE", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, p := newPeerOf(t, &row.options)
				infos := make(chan sasl.ServerInfo, 1)
				go func() {
					info, err := client.ServerInfo(t.Context())
					if err != nil {
						t.Error(err)
					}
					infos <- info
				}()
				p.rootDSE(mechanisms("GSSAPI"), attribute("objectClass", row.class))
				info := <-infos
				if info.EnforcesBinding != row.enforces || info.BindingName != row.bindingName {
					t.Errorf("it enforces: %t, name of the bindings: %q", info.EnforcesBinding, info.BindingName)
				}
				if info.ProfileBinding != "tls-server-end-point" || strings.Join(info.Mechanisms, " ") != "GSSAPI" || info.Service != "ldap" {
					t.Errorf("%+v", info)
				}
			})
		})
	}
}

// TestBound: after a successful SASL bind of ours, and after no other bind,
// OpenLDAP's form has no binding. The standard form has one.
func TestBound(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, host)
	for name, row := range map[string]struct {
		class string // of the root DSE
		code  int64
		want  string // the types of the bindings afterwards
	}{
		"succeeded":                      {"OpenLDAProotDSE", 0, ""},
		"refused":                        {"OpenLDAProotDSE", 49, "tls-server-end-point"},
		"succeeded in the standard form": {"top", 0, "tls-exporter tls-server-end-point"},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) error {
				w := newWire(tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}}))
				w.list = "PLAIN"
				if err := w.answerRootDSE(row.class); err != nil {
					return err
				}
				if _, err := w.request(); err != nil {
					return err
				}
				err := w.send(result(tagBindResponse, row.code, "", nil))
				if row.code == 0 { // the list is read again
					err = errors.Join(err, w.answerRootDSE(row.class))
				}
				return errors.Join(err, w.answerRootDSE(row.class))
			})
			client, err := saslldap.DialURL(t.Context(), "ldaps://"+host, &saslldap.Options{Address: address, TLSConfig: &tls.Config{RootCAs: pool}})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("alice", "pencil"))}}
			if _, err := client.SASLBind(t.Context(), auth); (err != nil) != (row.code != 0) {
				t.Fatal(err)
			}
			info, err := client.ServerInfo(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var types []string
			for _, b := range info.Bindings {
				types = append(types, b.Type)
			}
			if got := strings.Join(types, " "); got != row.want {
				t.Errorf("bindings afterwards: %q, want %q", got, row.want)
			}
		})
	}
}

// TestListCut: if the connection ends before the list after the bind, the login
// fails, also if there was no list before the bind.
func TestListCut(t *testing.T) {
	for name, before := range map[string]*ber.Packet{
		"a list before":  mechanisms("PLAIN"),
		"no list before": attribute("vendorName", "somebody"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, p := newPeerOf(t, &saslldap.Options{Mechanisms: []string{"PLAIN"}})
				outcome := bind(t.Context(), client)
				p.rootDSE(before)
				p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 0, "", nil))
				p.next(ldap.ApplicationSearchRequest)
				p.conn.Close()
				if got := <-outcome; sasl.ClassOf(got.err) != sasl.ErrConnection {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// TestLibraryBound: after a successful SASL bind of the library, and after no other
// bind, OpenLDAP's form has no binding.
func TestLibraryBound(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, host)
	for name, row := range map[string]struct {
		bind  func(client *saslldap.Client) error
		code  int64
		bound bool
	}{
		"EXTERNAL":         {func(client *saslldap.Client) error { return client.ExternalBind() }, 0, true},
		"EXTERNAL refused": {func(client *saslldap.Client) error { return client.ExternalBind() }, 48, false},
		"simple":           {func(client *saslldap.Client) error { return client.Bind("cn=alice", "pencil") }, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) error {
				w := newWire(tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}}))
				w.list = "SCRAM-SHA-256-PLUS"
				if _, err := w.request(); err != nil {
					return err
				}
				return errors.Join(w.send(result(tagBindResponse, row.code, "", nil)), w.answerRootDSE("OpenLDAProotDSE"))
			})
			client, err := saslldap.DialURL(t.Context(), "ldaps://"+host, &saslldap.Options{Address: address, TLSConfig: &tls.Config{RootCAs: pool}})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			client.SetTimeout(5 * time.Second)
			if err := row.bind(client); (err != nil) != (row.code != 0) {
				t.Fatal(err)
			}
			info, err := client.ServerInfo(t.Context())
			if err != nil || (len(info.Bindings) == 0) != row.bound {
				t.Errorf("%+v, %v", info.Bindings, err)
			}
		})
	}
}
