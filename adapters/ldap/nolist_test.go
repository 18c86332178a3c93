package saslldap_test

import (
	"errors"
	"testing"
	"testing/synctest"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// TestNoList shows that a server that hides its list has another error than a server
// that offers no mechanism of the client. The error names the option, nothing is sent, and the
// connection stays open.
func TestNoList(t *testing.T) {
	const begin, end = "policy error: the server does not show its list of SASL mechanisms (", "): set Options.Mechanisms if you know its mechanisms"
	for name, row := range map[string]struct {
		answer func(p *peer)
		want   string
		list   bool // the error is about the list
	}{
		"refused": {func(p *peer) {
			p.say(p.next(ldap.ApplicationSearchRequest).id, result(tagSearchDone, 50, "not for you", nil))
		}, begin + "result code 50: not for you" + end, true},
		"not without TLS": {func(p *peer) {
			p.say(p.next(ldap.ApplicationSearchRequest).id, result(tagSearchDone, 13, "TLS confidentiality required", nil))
		}, begin + "result code 13: TLS confidentiality required" + end, true},
		"nothing": {func(p *peer) { p.done(p.next(ldap.ApplicationSearchRequest).id) }, begin + "it does not show its root DSE" + end, true},
		"referred": {func(p *peer) {
			id := p.next(ldap.ApplicationSearchRequest).id
			reference := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 19, nil, "")
			reference.AppendChild(octets("ldap://other.example.org/"))
			p.say(id, reference)
			p.done(id)
		}, begin + "it does not show its root DSE" + end, true},
		"no attribute": {func(p *peer) { p.rootDSE(attribute("vendorName", "somebody")) }, begin + "its root DSE has no supportedSASLMechanisms" + end, true},
		"no value":     {func(p *peer) { p.rootDSE(mechanisms()) }, begin + "its root DSE has no supportedSASLMechanisms" + end, true},
		"others": {func(p *peer) { p.rootDSE(mechanisms("GSSAPI")) },
			"policy error: the server offers only GSSAPI, and this library has none of these mechanisms", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, p := newPeer(t)
				outcome := bind(t.Context(), client)
				row.answer(p)
				err := (<-outcome).err
				if !errors.Is(err, sasl.ErrPolicy) || errors.Is(err, saslldap.ErrNoList) != row.list || err.Error() != row.want {
					t.Errorf("%v, want %s", err, row.want)
				}
				p.nothing()
				if p.closed() {
					t.Error("the connection is closed")
				}
			})
		})
	}
}

// TestNoListAsked: what the caller asks for counts also without a list: a binding that
// is required is missing, and a Client without mechanisms is wrong with every server.
func TestNoListAsked(t *testing.T) {
	for name, row := range map[string]struct {
		auth  sasl.Client
		class sasl.Class
		list  bool
	}{
		"a binding":     {sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "pencil")), Binding: sasl.RequireBinding}, sasl.ErrSecurity, true},
		"no mechanisms": {sasl.Client{}, sasl.ErrConfig, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			failed := make(chan error, 1)
			go func() {
				_, err := client.SASLBind(t.Context(), &row.auth)
				failed <- err
			}()
			p.done(p.next(ldap.ApplicationSearchRequest).id)
			if err := <-failed; !errors.Is(err, row.class) || errors.Is(err, saslldap.ErrNoList) != row.list {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// TestBusy: a server that is busy does not hide its list: the class says to come
// back later. After a bind it says nothing.
func TestBusy(t *testing.T) {
	for _, code := range []int64{51, 52} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeerOf(t, &saslldap.Options{Mechanisms: []string{"PLAIN"}})
			outcome := bind(t.Context(), client)
			p.say(p.next(ldap.ApplicationSearchRequest).id, result(tagSearchDone, code, "later", nil))
			err := (<-outcome).err
			var step *transport.StepError
			if !errors.Is(err, sasl.ErrTemporary) || !errors.As(err, &step) || step.Step != "capabilities" {
				t.Error(err)
			}
		})
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			outcome := bind(t.Context(), client)
			p.rootDSE(mechanisms("PLAIN"))
			p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 0, "", nil))
			p.say(p.next(ldap.ApplicationSearchRequest).id, result(tagSearchDone, code, "later", nil))
			if err := (<-outcome).err; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestListSpelled: attributes and names of any case, and blanks around a name.
func TestListSpelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		p.rootDSE(attribute("SUPPORTEDsaslmechanisms", "gssapi", " plain "))
		request := p.next(ldap.ApplicationBindRequest)
		if got := request.op.Children[2].Children[0].Value; got != "PLAIN" {
			t.Errorf("bound with %v", got)
		}
		p.say(request.id, result(tagBindResponse, 49, "", nil))
		<-outcome
	})
}

// TestRootDSERequest: the search has the octets of RFC 4511 s4.5.1.
func TestRootDSERequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		request := p.next(ldap.ApplicationSearchRequest)
		const want = "\x63\x46\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x01\x02\x01\x00\x01\x01\x00\x87\x0bobjectClass" +
			"\x30\x26\x04\x17supportedSASLMechanisms\x04\x0bobjectClass"
		if got := string(request.op.Bytes()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		p.done(request.id)
		<-outcome
	})
}

// TestInvalidRootDSE: an entry that is not one, or an answer to another request, is
// an ErrProtocol and closes the connection.
func TestInvalidRootDSE(t *testing.T) {
	entry := func(children ...*ber.Packet) *ber.Packet {
		op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tagSearchEntry, nil, "")
		for _, child := range children {
			op.AppendChild(child)
		}
		return op
	}
	list := func(children ...*ber.Packet) *ber.Packet {
		l := ber.NewSequence("")
		for _, child := range children {
			l.AppendChild(child)
		}
		return l
	}
	for name, ops := range map[string][]*ber.Packet{
		"no attributes":                   {entry(octets("")), result(tagSearchDone, 0, "", nil)},
		"a third part":                    {entry(octets(""), list(), list()), result(tagSearchDone, 0, "", nil)},
		"an attribute without a value":    {entry(octets(""), list(list(octets("x")))), result(tagSearchDone, 0, "", nil)},
		"an attribute of another type":    {entry(octets(""), list(octets("x"))), result(tagSearchDone, 0, "", nil)},
		"a bind response":                 {result(tagBindResponse, 0, "", nil)},
		"an entry and then a bind answer": {entry(octets(""), list()), result(tagBindResponse, 0, "", nil)},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			outcome := bind(t.Context(), client)
			id := p.next(ldap.ApplicationSearchRequest).id
			for _, op := range ops {
				p.say(id, op)
			}
			if err := (<-outcome).err; !errors.Is(err, sasl.ErrProtocol) {
				t.Errorf("%s: %v", name, err)
			}
			if !p.closed() {
				t.Errorf("%s: the connection is open", name)
			}
		})
	}
}
