package sasl

import (
	"errors"
	"fmt"
	"slices"
)

// redactor knows what a run has sent that no person may see.
type redactor struct {
	exchange Exchange
	messages []Secret  // what was sent, if the exchange does not say what in it is secret
	earlier  *redactor // of the attempt before; nil = this is the first
}

type sentSecrets interface{ SentSecrets() []Secret }

// declares reports whether the exchange says what in its messages is secret.
func (r *redactor) declares() bool {
	_, ok := r.exchange.(sentSecrets)
	return ok
}

// sent notes a message that goes out.
func (r *redactor) sent(message []byte) {
	if len(message) > 0 && !r.declares() {
		r.messages = append(r.messages, NewSecret(message))
	}
}

// handedOver reports whether the run has sent a secret, as far as the exchange says
// what is secret, and else whether it has sent anything.
func (r *redactor) handedOver() bool {
	if x, ok := r.exchange.(sentSecrets); ok {
		return slices.ContainsFunc(x.SentSecrets(), func(s Secret) bool { return len(s.Bytes()) > 0 })
	}
	return len(r.messages) > 0
}

// repeats reports whether a text of the server repeats a secret. Only what comes
// from outside is looked at: a password may be a word that stands in our own
// texts.
func (r *redactor) repeats(text string) bool {
	if r.earlier != nil && r.earlier.repeats(text) {
		return true
	}
	if x, ok := r.exchange.(sentSecrets); ok {
		return slices.ContainsFunc(x.SentSecrets(), func(s Secret) bool { return repeatsSecret(text, s.Bytes()) })
	}
	return slices.ContainsFunc(r.messages, func(s Secret) bool { return repeatsMessage(text, s.Bytes()) })
}

// scrub takes out of a refusal what repeats a secret.
func (r *redactor) scrub(f *Failure) *Failure {
	text := r.repeats(f.Text)
	// The conditions of RFC 6120 are not the peer's own words. Another condition is
	// shown together with the text, so a secret can stand in both.
	condition := !f.Condition.known() && (r.repeats(string(f.Condition)) || !text && r.repeats(string(f.Condition)+" "+f.Text))
	if !condition && !text && !r.repeatsWithin(f.Err) {
		return f
	}
	scrubbed := &Failure{Class: f.Class, Text: withheld, Unread: f.Unread, Err: classes(f.Err)}
	if !condition {
		scrubbed.Condition = f.Condition
	}
	return scrubbed
}

// scrubError does the same for an error of a loop or of a mechanism.
func (r *redactor) scrubError(err error) error {
	var f *Failure
	if errors.As(err, &f) {
		if scrubbed := r.scrub(f); scrubbed != f {
			if errors.Is(err, ErrSecurity) { // in the words of what wraps it
				scrubbed.Err = errors.Join(scrubbed.Err, ErrSecurity)
			}
			return scrubbed
		}
	}
	if !r.repeatsWithin(err) {
		return err
	}
	if class := classes(err); class != nil {
		return fmt.Errorf("%w: %w", class, errWithheld)
	}
	return errWithheld
}

var errWithheld = errors.New("the reason is withheld, because it repeats a secret")

// classes returns what remains of an error whose words are withheld: its class,
// and ErrSecurity, if the error wraps it further in; nil if it has none.
func classes(err error) error {
	switch class := ClassOf(err); {
	case class == "":
		return nil
	case class != ErrSecurity && errors.Is(err, ErrSecurity):
		return errors.Join(class, ErrSecurity)
	default:
		return class
	}
}

// repeatsWithin looks at what an error wraps too, which may say more than it.
func (r *redactor) repeatsWithin(err error) bool {
	if err == nil { // what Unwrap of somebody else's may return
		return false
	}
	if r.repeats(err.Error()) {
		return true
	}
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		return r.repeatsWithin(err.Unwrap())
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(err.Unwrap(), r.repeatsWithin)
	}
	return false
}
