package saslimap

import (
	"regexp"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// Many servers refuse with NO and a text alone, or with AUTHENTICATIONFAILED
// whatever the reason is. A text that clearly is about something else than the
// credentials gets the condition of that other reason: the advice to check the
// password would mislead.

// cyrusWords are texts of the Cyrus SASL library, which servers pass on unchanged.
var cyrusWords = map[string]sasl.Condition{
	"no mechanism available":                   sasl.InvalidMechanism,
	"mechanism not supported":                  sasl.InvalidMechanism,
	"bad protocol / cancel":                    sasl.MalformedRequest, // it could not parse the message
	"transient failure (e.g., weak key)":       sasl.TemporaryAuthFailure,
	"authorization failure":                    sasl.InvalidAuthzid,
	"mechanism too weak for this user":         sasl.MechanismTooWeak,
	"encryption needed to use mechanism":       sasl.EncryptionRequired,
	"passphrase expired, has to be reset":      sasl.CredentialsExpired,
	"account disabled":                         sasl.AccountDisabled,
	"remote authentication server unavailable": sasl.TemporaryAuthFailure,
}

// cyrusPrefix begins a text of that library together with its number.
var cyrusPrefix = regexp.MustCompile(`^sasl\(-\d+\): `)

// phrases are words of other servers, in the order in which they are looked for.
var phrases = []struct {
	words     *regexp.Regexp
	condition sasl.Condition
}{
	{regexp.MustCompile(`\b(application|app)[- ]specific password\b`), sasl.MechanismTooWeak},
	{regexp.MustCompile(`\bpassword (has |is )?expired\b`), sasl.CredentialsExpired},
	// These texts name the credentials, perhaps beside other reasons.
	{regexp.MustCompile(`\b(passwords?|passwd|passphrase|credentials?|user ?names?|user id)\b`), ""},
	{regexp.MustCompile(`\bmechanism( is| was)? (not |un|dis)(supported|available|enabled|known|allowed|abled)\b`), sasl.InvalidMechanism},
	{regexp.MustCompile(`\b(unsupported|unknown|unavailable) (sasl |authentication |auth )?mechanism\b`), sasl.InvalidMechanism},
	{regexp.MustCompile(`\btoo many\b|\btry again later\b|\btemporar(y|ily)\b|\brate limit`), sasl.TemporaryAuthFailure},
	{regexp.MustCompile(`\baccount( is| was| has been)? (disabled|locked|suspended|blocked|inactive|deactivated|closed)\b`), sasl.AccountDisabled},
	{regexp.MustCompile(`\b(not enabled for imap|imap (access )?is (disabled|not enabled))\b|\bweb ?(login|browser)\b`), sasl.AccountDisabled},
}

// conditionOf returns the condition that a text clearly states; "" = none.
func conditionOf(text string) sasl.Condition {
	text = strings.ToLower(strings.TrimSpace(text))
	text = cyrusPrefix.ReplaceAllString(text, "")
	for words, condition := range cyrusWords {
		if text == words || strings.HasPrefix(text, words+": ") {
			return condition
		}
	}
	for _, phrase := range phrases {
		if phrase.words.MatchString(text) {
			return phrase.condition
		}
	}
	return ""
}
