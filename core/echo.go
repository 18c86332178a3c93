package sasl

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A server has seen what the client sent, and some repeat it in what they say
// about it: the line that they did not understand, or all of it on purpose.
// Errors and traces go to people and logs that are to see no secret, so what
// repeats one is withheld. Only what comes from outside is looked at: a
// password may be a word that stands in our own texts.

// sentSecret is a message or a part of one that was sent.
type sentSecret struct {
	bytes  []byte
	public int // octets at its beginning that are no secret
}

// leastEcho is the length, in octets, from which on a secret is looked for: a
// shorter one stands in many words by chance.
const leastEcho = 4

// echoes tells whether a text of the server's repeats a secret that was sent,
// as it is or in base64 of either alphabet; that may be cut off behind the
// first octets of the secret.
func (s *Session) echoes(text string) bool {
	exchange, ok := s.exchange.(interface{ secretsSent() []sentSecret })
	if !ok {
		return false
	}
	for _, secret := range exchange.secretsSent() {
		if len(secret.bytes)-secret.public < leastEcho {
			continue
		}
		if strings.Contains(text, string(secret.bytes)) {
			return true
		}
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			encoded := encoding.EncodeToString(secret.bytes)
			if shown := encoding.EncodedLen(secret.public + leastEcho); shown < len(encoded) {
				encoded = encoded[:shown]
			}
			if strings.Contains(text, encoded) {
				return true
			}
		}
	}
	return false
}

// scrub takes out of a refusal what repeats a secret.
func (s *Session) scrub(f *Failure) *Failure {
	condition, text, own := s.echoes(string(f.Condition)), s.echoes(f.Text), f.Err != nil && s.echoes(f.Err.Error())
	if !condition && !text && !own {
		return f
	}
	scrubbed := &Failure{Class: f.Class, Text: "(withheld: it repeats a secret)"}
	if scrubbed.Class == "" {
		scrubbed.Class = f.Condition.class()
	}
	if !condition {
		scrubbed.Condition = f.Condition
	}
	return scrubbed
}

// scrubError does the same for an error of a loop or a mechanism.
func (s *Session) scrubError(err error) error {
	var f *Failure
	if errors.As(err, &f) {
		if scrubbed := s.scrub(f); scrubbed != f {
			return scrubbed
		}
		return err
	}
	if !s.echoesWithin(err) {
		return err
	}
	class := ClassOf(err)
	if class == "" {
		class = ErrConnection
	}
	return fmt.Errorf("%w: the reason is withheld, because it repeats a secret", class)
}

// echoesWithin looks at what an error wraps too, which may say more than it.
func (s *Session) echoesWithin(err error) bool {
	if err == nil { // what Unwrap of somebody else's may return
		return false
	}
	if s.echoes(err.Error()) {
		return true
	}
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		return s.echoesWithin(err.Unwrap())
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(err.Unwrap(), s.echoesWithin)
	}
	return false
}
