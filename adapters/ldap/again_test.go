package saslldap_test

import (
	"testing"
	"testing/synctest"

	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
)

// TestSentAgain: if a server answers PLAIN with an empty challenge, as if the
// message had not come, the client sends the message once more, and not a third
// time.
func TestSentAgain(t *testing.T) {
	const message = "\x00alice\x00pencil"
	for name, row := range map[string]struct {
		again bool // the server asks a second time
		class sasl.Class
	}{
		"once":  {false, ""},
		"twice": {true, sasl.ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, p := newPeer(t)
				outcome := bind(t.Context(), client)
				p.rootDSE(mechanisms("PLAIN"))
				for sent := 1; sent <= 2; sent++ {
					request := p.next(ldap.ApplicationBindRequest)
					if got := string(request.op.Children[2].Children[1].ByteValue); got != message {
						t.Errorf("the client sent %q", got)
					}
					if sent == 2 && !row.again {
						p.say(request.id, result(tagBindResponse, 0, "", nil))
						p.rootDSE(mechanisms("PLAIN"))
						break
					}
					p.say(request.id, result(tagBindResponse, ldap.LDAPResultSaslBindInProgress, "", []byte{}))
				}
				if row.again {
					abort := p.next(ldap.ApplicationBindRequest)
					if len(abort.op.Children[2].Children) != 1 || abort.op.Children[2].Children[0].Value != "" {
						t.Error("the third request has a message")
					}
					p.say(abort.id, result(tagBindResponse, ldap.LDAPResultAuthMethodNotSupported, "", nil))
				}
				got := <-outcome
				if sasl.ClassOf(got.err) != row.class || (got.err == nil) != (row.class == "") {
					t.Error(got.err)
				}
				if want := (sasl.Result{Mechanism: "PLAIN", Username: "alice", RoundTrips: 2}); got.result != want {
					t.Errorf("%+v, want %+v", got.result, want)
				}
				if p.closed() {
					t.Error("the connection is closed")
				}
			})
		})
	}
}
