package saslxmpp_test

import (
	"strings"
	"testing"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// TestFeaturesAlone: without the Negotiator too, white space may come between the
// elements of an exchange, and text may not.
func TestFeaturesAlone(t *testing.T) {
	for before, class := range map[string]sasl.Class{"\n": "", " \t\r\n": "", "no": sasl.ErrProtocol, "\u00a0": sasl.ErrProtocol, "": ""} {
		conn, heard := scripted(t, turn{streamEnd, streamHeader + features(mechanisms)},
			turn{"</auth>", before + "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"}, turn{streamEnd, streamHeader + features()})
		login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}
		session, err := xmpp.NewSession(t.Context(), jid.MustParse(host), jid.MustParse(address), conn, xmpp.Secure, xmpp.NewNegotiator(
			func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
				return xmpp.StreamConfig{Features: login.Features(nil)}
			}))
		if sasl.ClassOf(err) != class || (err == nil) != (class == "") || err == nil && session.State()&xmpp.Authn == 0 {
			t.Errorf("%q: %v", before, err)
		}
		if said := heard(); strings.Count(said, "<auth ") != 1 {
			t.Errorf("%q: the client said %s", before, said)
		}
	}
}
