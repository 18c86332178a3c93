package saslxmpp_test

import (
	"strings"
	"testing"

	"mellium.im/xmpp"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// TestSentAgain: if a server answers PLAIN with an empty challenge, as if the
// message had not come, the client sends the message once more, and not a third
// time.
func TestSentAgain(t *testing.T) {
	const message = "AHVzZXIAcGVuY2ls"
	authenticate1 := "<auth" + ns1 + " mechanism='PLAIN'>" + message + "</auth>"
	authenticate2 := "<authenticate" + ns2 + " mechanism='PLAIN'><initial-response>" + message + "</initial-response></authenticate>"
	for name, row := range map[string]struct {
		list, ns, authenticate string
		twice                  bool
		class                  sasl.Class
	}{
		"SASL, once":   {mechanisms, ns1, authenticate1, false, ""},
		"SASL, twice":  {mechanisms, ns1, authenticate1, true, sasl.ErrProtocol},
		"SASL2, once":  {sasl2, ns2, authenticate2, false, ""},
		"SASL2, twice": {sasl2, ns2, authenticate2, true, sasl.ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			challenge := "<challenge" + row.ns + "/>"
			want := row.authenticate + "<response" + row.ns + ">" + message + "</response>"
			turns := []turn{{streamEnd, streamHeader + features(row.list)}, {row.authenticate, challenge}}
			switch {
			case row.twice:
				want += "<abort" + row.ns + "/>"
				turns = append(turns, turn{"</response>", challenge}, turn{"<abort" + row.ns + "/>", "<failure" + row.ns + "/>"})
			case row.ns == ns1:
				turns = append(turns, turn{"</response>", "<success" + ns1 + "/>"}, turn{streamEnd, streamHeader + features()})
			default:
				turns = append(turns, turn{"</response>", success2(identified) + features()})
			}
			conn, heard := scripted(t, turns...)
			session, outcome, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true})
			if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
				t.Errorf("%v, want %s", err, row.class)
			}
			if outcome.Result != (sasl.Result{Mechanism: "PLAIN", Username: "user", RoundTrips: 2}) {
				t.Errorf("%+v", outcome.Result)
			}
			if ready := session.State()&(xmpp.Authn|xmpp.Ready) == xmpp.Authn|xmpp.Ready; ready != (row.class == "") {
				t.Errorf("the state of the session is %v", session.State())
			}
			said := heard()
			if _, after, _ := strings.Cut(said, streamEnd); !strings.HasPrefix(after, want) || strings.Count(said, message) != 2 {
				t.Errorf("the client said %s\nwant %s", said, want)
			}
		})
	}
}
