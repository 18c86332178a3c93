package saslxmpp_test

import (
	"errors"
	"testing"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// TestTextOfRefusal: the text makes not-authorized more exact if it is clearly about
// something else than the password. It changes no other condition.
func TestTextOfRefusal(t *testing.T) {
	for name, row := range map[string]struct {
		condition, text string
		want            sasl.Condition
	}{
		"the text decides":     {"not-authorized", "Too many attempts, try again later", sasl.TemporaryAuthFailure},
		"the text has nothing": {"not-authorized", "Go away", sasl.NotAuthorized},
		"an exact condition":   {"malformed-request", "Too many attempts, try again later", sasl.MalformedRequest},
		"another one":          {"account-disabled", "password expired", sasl.AccountDisabled},
	} {
		for space, offered := range map[string]string{"urn:ietf:params:xml:ns:xmpp-sasl": mechanisms, "urn:xmpp:sasl:2": sasl2} {
			end := "</auth>"
			if offered == sasl2 {
				end = "</authenticate>"
			}
			conn, _ := scripted(t, turn{streamEnd, streamHeader + features(offered)},
				turn{end, "<failure xmlns='" + space + "'><" + row.condition + " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><text>" + row.text + "</text></failure>"})
			_, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true})
			var failure *sasl.Failure
			var refusal *saslxmpp.Refusal
			if !errors.As(err, &failure) || failure.Condition != row.want || !errors.As(err, &refusal) || refusal.Condition != row.condition || refusal.Text != row.text {
				t.Errorf("%s, %s: %v, %+v", name, space, err, refusal)
			}
		}
	}
}
