package sasl_test

import (
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestStatedCondition: texts of servers that are clearly about something else than the
// credentials, and texts that may be about them.
func TestStatedCondition(t *testing.T) {
	for text, want := range map[string]sasl.Condition{
		"Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://x.example": sasl.AccountDisabled,
		"SmtpClientAuthentication is disabled for the Mailbox.":                                                     sasl.AccountDisabled,
		"SMTP AUTH is disabled for this account":                                                                    sasl.AccountDisabled,
		"Account is not enabled for SMTP use":                                                                       sasl.AccountDisabled,
		"Your account has been suspended":                                                                           sasl.AccountDisabled,
		"Authentication unsuccessful, basic authentication is disabled.":                                            sasl.InvalidMechanism,
		"AUTHENTICATE mechanism not supported, mate":                                                                sasl.InvalidMechanism,
		"Error: authentication failed: no mechanism available":                                                      sasl.InvalidMechanism,
		"Error: authentication failed: bad protocol / cancel":                                                       sasl.MalformedRequest,
		"SASL(-5): bad protocol / cancel: cannot parse":                                                             sasl.MalformedRequest,
		"Too many bad auth attempts":                                                                                sasl.TemporaryAuthFailure,
		"Too many (5) failed authentications from this IP address":                                                  sasl.TemporaryAuthFailure,
		"Application-specific password required. For more information, go to https://x.example":                     sasl.MechanismTooWeak,
		"Your password is expired":                                                                                  sasl.CredentialsExpired,
		"Authentication unsuccessful, the user credentials were incorrect.":                                         "",
		"Username and Password not accepted. For more information, go to https://x.example":                         "",
		"Wrong password. Account locked after too many attempts":                                                    "",
		"Error: authentication failed: authentication failure":                                                      "",
		"authentication failed: the request did not meet the criteria; contact the administrator":                   "",
		"the word mechanism alone, and the account of somebody who is in the list of those that are disabled":       "",
		"": "",
	} {
		if got := sasl.StatedCondition(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
