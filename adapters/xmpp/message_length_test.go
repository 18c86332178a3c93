package saslxmpp_test

import (
	"encoding/base64"
	"strings"
	"testing"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// TestLongMessage: a first message of 16 KiB goes out whole in both profiles, which
// have no limit.
func TestLongMessage(t *testing.T) {
	message := "\x00u\x00" + strings.Repeat("p", 16<<10-3)
	encoded := base64.StdEncoding.EncodeToString([]byte(message))
	if len(encoded) != 21848 {
		t.Fatal(len(encoded))
	}
	for profile, row := range map[string]struct {
		turns []turn
		want  string
	}{
		"SASL": {[]turn{
			{streamEnd, streamHeader + features(mechanisms)},
			{"</auth>", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"},
			{streamEnd, streamHeader + features()},
		}, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + encoded + "</auth>"},
		"SASL2": {[]turn{
			{streamEnd, streamHeader + features(sasl2)},
			{"</authenticate>", success2(identified) + features()},
		}, "<initial-response>" + encoded + "</initial-response>"},
	} {
		conn, heard := scripted(t, row.turns...)
		login := &saslxmpp.Login{Client: insecure(sasl.Plain(sasl.Password("u", message[3:]))), Secure: true}
		_, outcome, err := negotiate(t.Context(), conn, login)
		if err != nil || outcome.Result.Username != "u" {
			t.Errorf("%s: %+v, %v", profile, outcome, err)
		}
		if said := heard(); !strings.Contains(said, row.want) {
			t.Errorf("%s: the client said %.300s", profile, said)
		}
	}
}
