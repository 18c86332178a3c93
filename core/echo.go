package sasl

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// A server has seen what the client sent, and some repeat it in what they say
// about it: the line that they did not understand, or all of it on purpose.
// Errors and traces go to people and logs that are to see no secret, so what
// repeats one is withheld.

// leastEcho is the length, in octets, from which on a secret is looked for: a
// shorter one stands in many words by chance.
const leastEcho = 4

// echoes tells whether text repeats a secret that was sent, as it is or in
// base64.
func (s *Session) echoes(text string) bool {
	sent, ok := s.exchange.(interface{ secretsSent() []string })
	if !ok {
		return false
	}
	for _, secret := range sent.secretsSent() {
		if len(secret) >= leastEcho &&
			(strings.Contains(text, secret) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret)))) {
			return true
		}
	}
	return false
}

// withhold replaces an error that repeats a secret by one that has nothing but
// its class.
func (s *Session) withhold(err error) error {
	text := err.Error()
	var failure *Failure
	if errors.As(err, &failure) {
		text += "\n" + failure.Text
		if failure.Err != nil {
			text += "\n" + failure.Err.Error()
		}
	}
	if !s.echoes(text) {
		return err
	}
	return fmt.Errorf("%w: refused, in words that repeat a secret and are withheld", ClassOf(err))
}
