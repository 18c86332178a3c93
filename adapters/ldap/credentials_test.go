package saslldap_test

import (
	"testing"
	"testing/synctest"

	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestServerCredentials: serverSaslCreds may be absent, empty or there (RFC 4511
// s4.2.2), in a challenge and with success. An absent challenge is an empty one, and
// absent data of success is none.
func TestServerCredentials(t *testing.T) {
	for name, credentials := range map[string][]byte{"absent": nil, "empty": {}, "there": []byte("x")} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			transcript := &sasltest.Transcript{MechanismName: "PLAIN", Expect: sasltest.Success, Lines: []sasltest.Line{
				{Op: sasltest.ClientSends, Data: []byte("hello")},
				{Op: sasltest.Challenge, Data: append([]byte{}, credentials...)},
				{Op: sasltest.ClientSends, Data: []byte("again")},
				{Op: sasltest.Succeed, Data: credentials},
			}}
			outcome := bind(t.Context(), client, transcript.Mechanism())
			p.rootDSE(mechanisms("PLAIN"))
			p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 14, "", credentials))
			p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 0, "", credentials))
			p.rootDSE(mechanisms("PLAIN"))
			if got := <-outcome; got.err != nil || got.result != (sasl.Result{Mechanism: "PLAIN", RoundTrips: 2}) {
				t.Errorf("%s: %+v", name, got)
			}
		})
	}
}

// TestSuccessWithoutProof: success without serverSaslCreds does not replace the
// signature of SCRAM.
func TestSuccessWithoutProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client, sasl.SCRAM(sasl.SHA256, sasl.Password("alice", "pencil")))
		p.rootDSE(mechanisms("SCRAM-SHA-256"))
		first := p.next(ldap.ApplicationBindRequest)
		p.say(first.id, result(tagBindResponse, 14, "", []byte(serverFirst(t, first.op))))
		p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 0, "", nil))
		if got := <-outcome; sasl.ClassOf(got.err) != sasl.ErrSecurity {
			t.Error(got.err)
		}
		if !p.closed() {
			t.Error("the connection is open")
		}
	})
}
