package saslxmpp_test

import (
	"strings"
	"testing"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// TestSentAgain: a server that answers PLAIN with an empty challenge, as if its
// message had not come, gets the message once more, and not a third time.
func TestSentAgain(t *testing.T) {
	const message = "AHVzZXIAcGVuY2ls"
	for name, row := range map[string]struct {
		list, ns, end string
		twice         bool
		class         sasl.Class
	}{
		"SASL, once":   {mechanisms, ns1, "</auth>", false, sasl.ErrAuthentication},
		"SASL, twice":  {mechanisms, ns1, "</auth>", true, sasl.ErrProtocol},
		"SASL2, once":  {sasl2, ns2, "</authenticate>", false, sasl.ErrAuthentication},
		"SASL2, twice": {sasl2, ns2, "</authenticate>", true, sasl.ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			refusal := "<failure" + row.ns + "><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>"
			turns := []turn{{streamEnd, streamHeader + features(row.list)}, {row.end, "<challenge" + row.ns + "/>"}}
			if row.twice {
				turns = append(turns, turn{"</response>", "<challenge" + row.ns + "/>"}, turn{"/>", "<failure" + row.ns + "/>"}) // after <abort/>
			} else {
				turns = append(turns, turn{"</response>", refusal})
			}
			conn, heard := scripted(t, turns...)
			login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true}
			if _, _, err := negotiate(t.Context(), conn, login); sasl.ClassOf(err) != row.class {
				t.Errorf("%v, want %s", err, row.class)
			}
			if said := heard(); strings.Count(said, message) != 2 {
				t.Errorf("the client said %s", said)
			}
		})
	}
}
