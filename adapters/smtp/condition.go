package saslsmtp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// Reply is what a server said in refusing, in the Err of a *sasl.Failure. The
// library's own error is there too, for errors.As.
type Reply struct {
	Code     int    // the reply code (RFC 5321 s4.2)
	Enhanced [3]int // the enhanced status code (RFC 2034); zero if there is none
	Text     string // without the enhanced status code

	library error
}

// Error returns the codes and the text, without characters that a terminal acts
// upon.
func (r *Reply) Error() string {
	text := strconv.Itoa(r.Code)
	if r.Enhanced != [3]int{} {
		text += fmt.Sprintf(" %d.%d.%d", r.Enhanced[0], r.Enhanced[1], r.Enhanced[2])
	}
	return text + " " + sasl.Printable(r.Text)
}

// Unwrap returns the library's error.
func (r *Reply) Unwrap() error { return r.library }

// err is the reply as an error of an exchange: a refusal or, with 421, which
// ends the connection, and with what refuses nothing, another.
func (r *Reply) err() error {
	switch {
	case r.Code == 421:
		return fmt.Errorf("%w: the server ends the connection: %s", sasl.ErrTemporary, sasl.Printable(r.Text))
	case r.Code < 400:
		return fmt.Errorf("%w: the server answers %d to AUTH", sasl.ErrProtocol, r.Code)
	}
	return &sasl.Failure{Condition: r.condition(), Text: r.Text, Err: r}
}

// condition is RFC 4954 s6 and, for a disabled account, RFC 5248.
func (r *Reply) condition() sasl.Condition {
	switch {
	case r.Code == 432:
		return sasl.CredentialsExpired
	case r.Code/100 == 4:
		return sasl.TemporaryAuthFailure
	case r.Code == 525, r.Enhanced == [3]int{5, 7, 13}:
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
	return sasl.NotAuthorized
}

// isLineTooLong reports whether a server refused because of the length of the
// line (RFC 4954 s6: 500 5.5.6).
func isLineTooLong(err error) bool {
	var r *Reply
	return errors.As(err, &r) && r.Code == 500 && r.Enhanced == [3]int{5, 5, 6}
}

// maxResponse is the longest line of an exchange that servers have to take,
// without its end, in octets (RFC 4954 s4).
const maxResponse = 12288

// afterLine is what an error in answer to a line means. A server that finds a
// line too long that it does not have to take may not read to its end, and take
// the rest for commands or hang up: the connection is of no more use.
func afterLine(octets int, err error) error {
	if octets <= maxResponse {
		return err
	}
	var r *Reply
	switch class := sasl.ClassOf(err); {
	case isLineTooLong(err) && errors.As(err, &r):
		return fmt.Errorf("%w: the server takes no line of %d octets: %w", sasl.ErrProtocol, octets, r)
	case err != nil && (class == "" || class == sasl.ErrConnection):
		return fmt.Errorf("%w: the server hung up on a line of %d octets: %w", sasl.ErrProtocol, octets, err)
	}
	return err
}

// cutEnhanced takes the enhanced status code (RFC 2034 s3) off each line of a
// text.
func cutEnhanced(text string) (enhanced [3]int, rest string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		code, after, _ := strings.Cut(line, " ")
		parts := strings.Split(code, ".")
		if len(parts) != 3 || len(code) > len("5.123.123") {
			continue
		}
		var numbers [3]int
		valid := true
		for j, part := range parts {
			n, err := strconv.ParseUint(part, 10, 10)
			numbers[j], valid = int(n), valid && err == nil
		}
		if valid && numbers[0] >= 2 && numbers[0] <= 5 {
			enhanced, lines[i] = numbers, after
		}
	}
	return enhanced, strings.Join(lines, "\n")
}
