package saslsmtp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/emersion/go-smtp"

	sasl "github.com/saslkit/saslkit/core"
)

// Reply is a reply with which a server refused (RFC 5321 s4.2). Get it with
// errors.As. The library's own error is there too.
type Reply struct {
	Code     int    // 200 to 599
	Enhanced [3]int // the enhanced status code (RFC 2034); zero = none
	Text     string // without the enhanced status code; lines are joined with line feeds

	library error
}

// Error returns the code, the enhanced status code and the text, without control
// characters.
func (r *Reply) Error() string {
	text := strconv.Itoa(r.Code)
	if r.Enhanced != [3]int{} {
		text += fmt.Sprintf(" %d.%d.%d", r.Enhanced[0], r.Enhanced[1], r.Enhanced[2])
	}
	return text + " " + sasl.Printable(r.line())
}

// line returns the text in one line. A line end stands between two words, which
// Printable would join.
func (r *Reply) line() string { return strings.Join(strings.Fields(r.Text), " ") }

// Unwrap returns the library's error.
func (r *Reply) Unwrap() error { return r.library }

// failure translates a reply to AUTH or to a response. 421, which ends the
// connection, is an ErrTemporary, and a reply that does not refuse an ErrProtocol.
func failure(r *Reply) error {
	switch {
	case r.Code == 421:
		return fmt.Errorf("%w: the server ends the connection: %s", sasl.ErrTemporary, sasl.Printable(r.line()))
	case r.Code < 400:
		return fmt.Errorf("%w: the server answers %d to AUTH", sasl.ErrProtocol, r.Code)
	}
	return &sasl.Failure{Condition: condition(r), Text: r.line(), Err: r}
}

// condition is the table of RFC 4954 s6. A code that is more exact than the reply
// code counts first: many servers send every refusal as 535 or 550, and say by the
// enhanced status code that it is not about the password (RFC 4954 s6, RFC 5248).
// Others say it in the text alone.
func condition(r *Reply) sasl.Condition {
	switch r.Enhanced {
	case [3]int{5, 7, 9}:
		return sasl.MechanismTooWeak
	case [3]int{5, 7, 10}, [3]int{5, 7, 11}:
		return sasl.EncryptionRequired
	case [3]int{4, 7, 12}, [3]int{5, 7, 12}:
		return sasl.CredentialsExpired
	case [3]int{5, 7, 13}:
		return sasl.AccountDisabled
	case [3]int{5, 7, 139}:
		// Exchange Online refuses with it for several reasons. This one wants a token.
		if strings.Contains(strings.ToLower(r.line()), "basic authentication is disabled") {
			return sasl.MechanismTooWeak
		}
	}
	switch {
	case r.Code == 432:
		return sasl.CredentialsExpired
	case r.Code/100 == 4:
		return sasl.TemporaryAuthFailure
	case r.Code == 525:
		return sasl.AccountDisabled
	case r.Code == 534:
		return sasl.MechanismTooWeak
	case r.Code == 538, r.Code == 530, r.Code == 523:
		return sasl.EncryptionRequired
	case r.Code == 504, r.Code == 502:
		return sasl.InvalidMechanism
	case r.Code == 500, r.Code == 501, r.Code == 503:
		return sasl.MalformedRequest
	}
	if stated := sasl.StatedCondition(r.line()); stated != "" {
		return stated
	}
	return sasl.NotAuthorized
}

// rejected translates a reply that came before the authentication.
func rejected(r *Reply) error {
	switch r.Code / 100 {
	case 4:
		return fmt.Errorf("%w: the server rejects the connection for now; try again later: %w", sasl.ErrTemporary, r)
	case 5:
		return fmt.Errorf("%w: the server rejects the connection: %w", sasl.ErrConnection, r)
	}
	return fmt.Errorf("%w: the server sent an unexpected reply: %w", sasl.ErrProtocol, r)
}

// isLineTooLong reports whether a server refused a line because of its length
// (RFC 4954 s6: 500 5.5.6).
func isLineTooLong(err error) bool {
	var r *Reply
	return errors.As(err, &r) && r.Code == 500 && r.Enhanced == [3]int{5, 5, 6}
}

// refusalFor returns the refusal that a client may see of a reason (RFC 4954 s6).
func refusalFor(reason error) error {
	var own *smtp.SMTPError
	if errors.As(reason, &own) {
		return own
	}
	switch sasl.ClassOf(reason) {
	case sasl.ErrProtocol:
		return &smtp.SMTPError{Code: 501, EnhancedCode: smtp.EnhancedCode{5, 5, 2}, Message: "Malformed authentication exchange"}
	case sasl.ErrPolicy:
		return &smtp.SMTPError{Code: 504, EnhancedCode: smtp.EnhancedCode{5, 5, 4}, Message: "Mechanism not offered"}
	case sasl.ErrTemporary, sasl.ErrConfig, sasl.ErrConnection, "":
		return &smtp.SMTPError{Code: 454, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "Temporary authentication failure"}
	}
	return smtp.ErrAuthFailed
}
