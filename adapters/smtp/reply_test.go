package saslsmtp_test

import (
	"errors"
	"slices"
	"testing"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
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

// TestWordsOfReplies: a text that is clearly about something else than the password
// gives the condition, and the password is not mentioned then. A more exact code
// counts first.
func TestWordsOfReplies(t *testing.T) {
	for reply, want := range map[string]struct {
		condition sasl.Condition
		class     sasl.Class
	}{
		"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.": {sasl.AccountDisabled, sasl.ErrAuthorization},
		"535-5.7.139 Authentication unsuccessful, SmtpClientAuthentication\r\n535 5.7.139 is disabled":  {sasl.AccountDisabled, sasl.ErrAuthorization},
		"535 Too many bad auth attempts":                                 {sasl.TemporaryAuthFailure, sasl.ErrTemporary},
		"550 5.7.8 Error: authentication failed: bad protocol / cancel":  {sasl.MalformedRequest, sasl.ErrProtocol},
		"535 5.7.8 Error: authentication failed: authentication failure": {sasl.NotAuthorized, sasl.ErrAuthentication},
		"535 5.7.8 Username and Password not accepted, too many times":   {sasl.NotAuthorized, sasl.ErrAuthentication},
		"525 5.7.13 Too many":        {sasl.AccountDisabled, sasl.ErrAuthorization},
		"501 5.5.2 account disabled": {sasl.MalformedRequest, sasl.ErrProtocol},
	} {
		for name, authenticate := range authenticators {
			_, err := authenticate(t, sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN", "<AUTH PLAIN "+plainMessage, reply), plain)
			var refused *sasl.Failure
			if !errors.As(err, &refused) || refused.Condition != want.condition || sasl.ClassOf(err) != want.class {
				t.Errorf("%s, %s: %v, want %s", name, reply, err, want.condition)
			}
			var login *sasl.LoginError
			if errors.As(err, &login) && slices.Contains(login.Hints, sasl.HintPassword) != (want.condition == sasl.NotAuthorized) {
				t.Errorf("%s, %s: hints %q", name, reply, login.Hints)
			}
		}
	}
}

// TestEnhancedCodes: three numbers, the class 2 to 5 and the others of three digits at
// most (RFC 3463 s2). Anything else is a part of the text.
func TestEnhancedCodes(t *testing.T) {
	for text, want := range map[string][3]int{
		"5.7.8 no": {5, 7, 8}, "5.123.123 no": {5, 123, 123}, "2.7.8 no": {2, 7, 8},
		"1.7.8 no": {}, "6.7.8 no": {}, "5.7 no": {}, "5.7.8.9 no": {}, "5.7.x no": {}, "5.x.8 no": {}, "x.7.8 no": {}, "5.0007.00008 no": {}, "5.1024.1 no": {}, "no": {},
	} {
		rest := text
		if want != [3]int{} {
			rest = "no"
		}
		_, err := authenticators["net/smtp"](t, sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN", "<AUTH PLAIN "+plainMessage, "535 "+text), plain)
		var reply *saslsmtp.Reply
		if !errors.As(err, &reply) || reply.Enhanced != want || reply.Text != rest {
			t.Errorf("%s: %+v", text, reply)
		}
	}
}
