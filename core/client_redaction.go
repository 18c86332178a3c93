package sasl

import (
	"errors"
	"fmt"
	"slices"
)

// redactor knows the data of a run that no person may see.
type redactor struct {
	exchange Exchange
	messages []Secret  // the sent messages, if the exchange does not declare its secrets
	earlier  *redactor // of the previous attempt; nil = this attempt is the first

	screen func(repeats func(text string) bool) // of a ScreeningInterface; nil = no call
}

type sentSecrets interface{ SentSecrets() []Secret }

// declares reports whether the exchange declares its secrets.
func (r *redactor) declares() bool {
	_, ok := r.exchange.(sentSecrets)
	return ok
}

// sent records a message that is about to be sent.
func (r *redactor) sent(message []byte) {
	if len(message) > 0 && !r.declares() {
		r.messages = append(r.messages, NewSecret(message))
	}
	if r.screen != nil {
		r.screen(r.snapshot())
	}
}

// handedOver reports whether the run has sent a secret. If the exchange does not
// declare its secrets, every message counts as one.
func (r *redactor) handedOver() bool {
	if x, ok := r.exchange.(sentSecrets); ok {
		return slices.ContainsFunc(x.SentSecrets(), func(s Secret) bool { return len(s.Bytes()) > 0 })
	}
	return len(r.messages) > 0
}

// repeats reports whether a text of the server repeats a secret. The package's own
// texts are not checked: a password may be a word in such a text.
func (r *redactor) repeats(text string) bool {
	if r.earlier != nil && r.earlier.repeats(text) {
		return true
	}
	if x, ok := r.exchange.(sentSecrets); ok {
		return slices.ContainsFunc(x.SentSecrets(), func(s Secret) bool { return repeatsSecret(text, s.Bytes()) })
	}
	return slices.ContainsFunc(r.messages, func(s Secret) bool { return repeatsMessage(text, s.Bytes()) })
}

// snapshot returns a function that reports the same as repeats reports now, for use
// by any goroutine.
func (r *redactor) snapshot() func(text string) bool {
	var secrets, messages []Secret
	for ; r != nil; r = r.earlier {
		if x, ok := r.exchange.(sentSecrets); ok {
			secrets = append(secrets, x.SentSecrets()...)
		}
		messages = append(messages, r.messages...)
	}
	return func(text string) bool {
		return slices.ContainsFunc(secrets, func(s Secret) bool { return s.RepeatedIn(text) }) ||
			slices.ContainsFunc(messages, func(s Secret) bool { return repeatsMessage(text, s.Bytes()) })
	}
}

// scrub removes the parts of a refusal that repeat a secret.
func (r *redactor) scrub(f *Failure) *Failure {
	text := r.repeats(f.Text)
	// The conditions of RFC 6120 are not the peer's own words. An unknown condition
	// is shown together with the text, so a secret can stand in both.
	hidden := !f.Condition.known() && (r.repeats(string(f.Condition)) || !text && r.repeats(string(f.Condition)+" "+f.Text))
	if !hidden && !text && !r.repeatsWithin(f.Err) {
		return f
	}
	scrubbed := &Failure{Class: f.Class, Text: withheld, Unread: f.Unread, Err: classes(f.Err)}
	if !hidden {
		scrubbed.Condition = f.Condition
	}
	return scrubbed
}

// scrubError removes secrets from an error of a loop or of a mechanism.
func (r *redactor) scrubError(err error) error {
	var f *Failure
	if errors.As(err, &f) {
		if scrubbed := r.scrub(f); scrubbed != f {
			if errors.Is(err, ErrSecurity) { // the text of the wrapper is lost
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

// classes returns the remaining part of an error whose text is withheld: the
// error's class, together with ErrSecurity if the error wraps an ErrSecurity
// deeper. For an error without a class, classes returns nil.
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

// repeatsWithin reports whether an error repeats a secret. The function also checks
// the wrapped errors, whose texts may contain more than the outer text.
func (r *redactor) repeatsWithin(err error) bool {
	if err == nil { // an Unwrap of another module may return nil
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
