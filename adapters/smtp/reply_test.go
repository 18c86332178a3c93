package saslsmtp_test

import (
	"testing"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
)

// TestReplyText: the enhanced status code only if there is one, in one line, and
// without the characters that a terminal acts upon.
func TestReplyText(t *testing.T) {
	for want, reply := range map[string]saslsmtp.Reply{
		"535 no":              {Code: 535, Text: "no"},
		"535 5.7.8 no never":  {Code: 535, Enhanced: [3]int{5, 7, 8}, Text: "no\nnever"},
		"454 4.0.0 [31mlater": {Code: 454, Enhanced: [3]int{4, 0, 0}, Text: "\x1b[31mlater"},
	} {
		if got := reply.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
