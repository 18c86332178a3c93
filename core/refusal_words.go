package sasl

import (
	"regexp"
	"strings"
)

// cyrusWords are texts of the Cyrus SASL library, which servers pass on unchanged.
var cyrusWords = map[string]Condition{
	"no mechanism available":                   InvalidMechanism,
	"mechanism not supported":                  InvalidMechanism,
	"bad protocol / cancel":                    MalformedRequest, // it could not parse the message
	"transient failure (e.g., weak key)":       TemporaryAuthFailure,
	"authorization failure":                    InvalidAuthzid,
	"mechanism too weak for this user":         MechanismTooWeak,
	"encryption needed to use mechanism":       EncryptionRequired,
	"passphrase expired, has to be reset":      CredentialsExpired,
	"account disabled":                         AccountDisabled,
	"remote authentication server unavailable": TemporaryAuthFailure,
}

// cyrusPrefix begins a text of that library: Postfix's words, and the number of the
// error.
var cyrusPrefix = regexp.MustCompile(`^(error: authentication failed: )?(sasl\(-\d+\): )?`)

// phrases are words of other servers, in the order in which they are looked for.
var phrases = []struct {
	words     *regexp.Regexp
	condition Condition
}{
	{regexp.MustCompile(`\b(application|app)[- ]specific password\b`), MechanismTooWeak},
	{regexp.MustCompile(`\bpassword (has |is )?expired\b`), CredentialsExpired},
	// These texts name the credentials, perhaps beside other reasons.
	{regexp.MustCompile(`\b(passwords?|passwd|passphrase|credentials?|user ?names?|user id)\b`), ""},
	{regexp.MustCompile(`\bbasic auth(entication)?( is| was)? (disabled|not (supported|enabled|allowed))\b`), InvalidMechanism},
	{regexp.MustCompile(`\bmechanism( is| was)? (not |un|dis)(supported|available|enabled|known|allowed|abled)\b`), InvalidMechanism},
	{regexp.MustCompile(`\b(unsupported|unknown|unavailable) (sasl |authentication |auth )?mechanism\b`), InvalidMechanism},
	{regexp.MustCompile(`\btoo many\b|\btry again later\b|\btemporar(y|ily)\b|\brate limit`), TemporaryAuthFailure},
	{regexp.MustCompile(`\baccount( is| was| has been)? (disabled|locked|suspended|blocked|inactive|deactivated|closed)\b`), AccountDisabled},
	{regexp.MustCompile(`\bnot enabled for (imap|smtp|xmpp)\b|\b(imap|smtp|xmpp)( access| auth(entication)?)?( is| was)? (disabled|not enabled)\b`), AccountDisabled},
	{regexp.MustCompile(`\bsmtpclientauthentication( is)? disabled\b|\bweb ?(login|browser)\b`), AccountDisabled},
}

// StatedCondition returns the condition that the text of a refusal clearly states in
// English; "" = none. It is for an adapter whose servers refuse with a text alone, or
// with one code for every reason: the advice to check the password would mislead if
// the text is about something else. A text that names the credentials states nothing.
func StatedCondition(text string) Condition {
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
