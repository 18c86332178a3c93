package saslxmpp_test

import (
	"strings"
	"testing"
	"time"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// TestTokenElements: the client sends the elements of XEP-0484 s3.2 and s3.4, and
// reads the server's.
func TestTokenElements(t *testing.T) {
	offer := "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism><inline><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast></inline></authentication>"
	agent := "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>"
	expiry := time.Date(2100, 1, 2, 1, 4, 5, 0, time.UTC)
	account := sasl.TokenAccount{Service: "xmpp", Host: host, Username: "user"}
	for name, row := range map[string]struct {
		held       bool
		invalidate bool
		says, want string
		kept       string
	}{
		"asked for": {false, false, identified + "<token xmlns='urn:xmpp:fast:0' token='new &amp; fresh' expiry='2100-01-02T03:04:05+02:00'/>",
			"mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response>" + agent + "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>", "new & fresh"},
		"used": {true, false, identified + "<additional-data>" + responder + "</additional-data>",
			"mechanism='HT-SHA-256-NONE'><initial-response>" + initiator + "</initial-response>" + agent + "<fast xmlns='urn:xmpp:fast:0' count='1'/>", token},
		"invalidated": {true, true, identified + "<additional-data>" + responder + "</additional-data>",
			"mechanism='HT-SHA-256-NONE'><initial-response>" + initiator + "</initial-response>" + agent + "<fast xmlns='urn:xmpp:fast:0' count='1' invalidate='true'/>", ""},
	} {
		store := new(sasl.MemoryTokens)
		if row.held {
			store.Update(t.Context(), account, func([]sasl.Token) []sasl.Token {
				return []sasl.Token{{Mechanism: "HT-SHA-256-NONE", Secret: sasl.NewSecret(token)}}
			})
		}
		client := insecure(sasl.Plain(credentials))
		client.Tokens = &sasl.Tokens{Store: store, Username: "user", Mechanisms: []string{"HT-SHA-256-NONE"}, Invalidate: row.invalidate}
		conn, heard := scripted(t, turn{streamEnd, streamHeader + features(offer)}, turn{"</authenticate>", success2(row.says) + features()})
		login := &saslxmpp.Login{Client: client, Secure: true, UserAgent: saslxmpp.UserAgent{ID: "d4565fa7-4d72-4749-b3d3-740edbf87770"}}
		if _, outcome, err := negotiate(t.Context(), conn, login); err != nil || len(outcome.Extensions) != 0 {
			t.Errorf("%s: %+v, %v", name, outcome, err)
		}
		if _, said, _ := strings.Cut(heard(), streamEnd); said != "<authenticate xmlns='urn:xmpp:sasl:2' "+row.want+"</authenticate>" {
			t.Errorf("%s: the client said %s", name, said)
		}
		var kept []sasl.Token
		store.Update(t.Context(), account, func(tokens []sasl.Token) []sasl.Token {
			kept = tokens
			return tokens
		})
		switch {
		case row.kept == "" && len(kept) == 0:
		case len(kept) != 1 || string(kept[0].Secret.Bytes()) != row.kept:
			t.Errorf("%s: kept %+v", name, kept)
		case !row.held && !kept[0].Expiry.Equal(expiry):
			t.Errorf("%s: good until %v", name, kept[0].Expiry)
		}
	}
}
