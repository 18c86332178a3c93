package saslldap_test

import (
	"testing"
	"testing/synctest"

	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestBindRequest: the octets of RFC 4511 s4.2, with absent, empty and other
// credentials, in one round trip.
func TestBindRequest(t *testing.T) {
	for _, row := range []struct {
		credentials []byte
		want        string
	}{
		{nil, "\x60\x0e\x02\x01\x03\x04\x00\xa3\x07\x04\x05PLAIN"},
		{[]byte{}, "\x60\x10\x02\x01\x03\x04\x00\xa3\x09\x04\x05PLAIN\x04\x00"},
		{[]byte("\x00a\x00b"), "\x60\x14\x02\x01\x03\x04\x00\xa3\x0d\x04\x05PLAIN\x04\x04\x00a\x00b"},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			transcript := &sasltest.Transcript{MechanismName: "PLAIN", Expect: sasltest.Success, Lines: []sasltest.Line{
				{Op: sasltest.ClientSends, Data: row.credentials}, {Op: sasltest.Succeed},
			}}
			outcome := bind(t.Context(), client, transcript.Mechanism())
			p.rootDSE(mechanisms("PLAIN"))
			request := p.next(ldap.ApplicationBindRequest)
			if got := string(request.op.Bytes()); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
			p.say(request.id, result(tagBindResponse, 0, "", nil))
			p.rootDSE(mechanisms("PLAIN"))
			if got := <-outcome; got.err != nil || got.result != (sasl.Result{Mechanism: "PLAIN", RoundTrips: 1}) {
				t.Errorf("%+v", got)
			}
			p.nothing()
		})
	}
}
