package saslxmpp_test

import (
	"net"
	"testing"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// TestAddress: the session has the address that a server with SASL2 assigns, and
// keeps the requested resource until a resource is bound.
func TestAddress(t *testing.T) {
	for asked, want := range map[string]string{
		address + "/phone":         address + "/phone",
		address:                    address,
		"somebody@" + host:         address,
		"somebody@" + host + "/at": address,
	} {
		near, far := net.Pipe()
		served := make(chan error, 1)
		go func() {
			w := newWire(far, true)
			err := w.Greet("PLAIN", true)
			if err == nil {
				_, _, err = w.ReadInitiate()
			}
			if err == nil {
				err = w.Succeed(nil)
			}
			served <- err
		}()
		login := &saslxmpp.Login{Secure: true, Client: &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("user", "pencil"))}}}
		session, err := xmpp.NewSession(t.Context(), jid.MustParse(host), jid.MustParse(asked), near, xmpp.Secure, authenticated(login.Negotiator(nil)))
		if err != nil {
			t.Fatalf("%s: %v, %v", asked, err, <-served)
		}
		if got := session.LocalAddr().String(); got != want {
			t.Errorf("asked for %s: the session is %s, want %s", asked, got, want)
		}
		near.Close()
		far.Close()
	}
}
