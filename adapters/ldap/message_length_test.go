package saslldap_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
)

// TestLongMessage: credentials of 16 KiB go out in one bind request (RFC 4511 s4.2),
// whose lengths take two octets from 128 on.
func TestLongMessage(t *testing.T) {
	message := "\x00u\x00" + strings.Repeat("p", 16<<10-3)
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client, sasl.Plain(sasl.Password("u", message[3:])))
		p.rootDSE(mechanisms("PLAIN"))
		request := p.next(ldap.ApplicationBindRequest)
		// The version, an empty name, and the mechanism with 16384 octets.
		if got, want := string(request.op.Bytes()), "\x60\x82\x40\x14\x02\x01\x03\x04\x00\xa3\x82\x40\x0b\x04\x05PLAIN\x04\x82\x40\x00"+message; got != want {
			t.Errorf("%d octets, %.40q, want %d, %.40q", len(got), got, len(want), want)
		}
		p.say(request.id, result(tagBindResponse, 0, "", nil))
		p.rootDSE(mechanisms("PLAIN"))
		if got := <-outcome; got.err != nil || got.result.Username != "u" {
			t.Errorf("%+v", got)
		}
	})
}
