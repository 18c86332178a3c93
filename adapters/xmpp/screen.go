package saslxmpp

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mellium.im/xmpp/stanza"
	"mellium.im/xmpp/stream"

	sasl "github.com/saslkit/saslkit/core"
)

// screen knows whether a text of the server repeats a secret that the login has sent.
// The Client looks at the errors of its loop; the screen is for the values inside
// them, which a person gets with errors.As, and for the texts after the login.
type screen struct{ repeats func(text string) bool } // nil = nothing was sent

// Screen is called by sasl.Client before each message.
func (s *screen) Screen(repeats func(text string) bool) { s.repeats = repeats }

// hides reports whether the texts, one after the other, repeat a secret.
func (s *screen) hides(texts ...string) bool {
	return s != nil && s.repeats != nil && s.repeats(strings.Join(texts, " "))
}

// hidesElements does the same for elements: for all of their words, and for their
// texts alone, because a secret may be spread over several elements.
func (s *screen) hidesElements(list []Element) bool {
	return s.hides(words(list, true)...) || s.hides(words(list, false)...)
}

// words returns the texts of elements and, on request, their names and attributes.
func words(list []Element, all bool) (texts []string) {
	for i := range list {
		e := &list[i]
		if all {
			texts = append(texts, e.Name.Space, e.Name.Local)
			for _, a := range e.Attr {
				texts = append(texts, a.Name.Space, a.Name.Local, a.Value)
			}
		}
		texts = append(append(texts, e.Text), words(e.Children, all)...)
	}
	return texts
}

// streamError returns a stream error without the words that repeat a secret.
func (s *screen) streamError(e stream.Error) stream.Error {
	texts := []string{e.Err, e.Content}
	for _, text := range e.Text {
		texts = append(texts, text.Lang, text.Value)
	}
	if s.hides(texts...) {
		return stream.Error{Err: known(e.Err)}
	}
	return e
}

// stanzaError does the same for the error of a stanza.
func (s *screen) stanzaError(e stanza.Error) stanza.Error {
	texts := []string{string(e.Condition), string(e.Type), e.By.String(), e.XMLName.Local, e.XMLName.Space}
	for _, lang := range slices.Sorted(maps.Keys(e.Text)) {
		texts = append(texts, lang, e.Text[lang])
	}
	if s.hides(texts...) {
		return stanza.Error{Type: e.Type, Condition: stanza.Condition(known(string(e.Condition)))}
	}
	return e
}

// failure does the same for the words of a refusal that the Client does not look at.
func (s *screen) failure(f *sasl.Failure) *sasl.Failure {
	refusal := f.Err.(*Refusal)
	if s.hidesElements(refusal.Application) {
		refusal.Application = nil
	}
	if s.hides(refusal.Lang) {
		refusal.Lang = ""
	}
	return f
}

// foreign returns an error of code from another package. If the error contains words
// of the server that repeat a secret, foreign leaves out these words.
func (s *screen) foreign(what string, err error) error {
	class := sasl.ClassOf(streamError(err))
	if s.repeatedIn(err) {
		return &laterError{class, what + ": the reason is withheld, because it repeats a secret", nil}
	}
	if sasl.ClassOf(err) != "" {
		return err
	}
	return &laterError{class, what + ": " + sasl.Printable(err.Error()), err}
}

// repeatedIn looks at what an error wraps too.
func (s *screen) repeatedIn(err error) bool {
	if err == nil {
		return false
	}
	if s.hides(err.Error()) {
		return true
	}
	switch e := err.(type) {
	case stream.Error:
		return s.hides(fmt.Sprint(e.Text, e.Content))
	case stanza.Error:
		return s.hides(fmt.Sprint(e.Text, e.By))
	case *stanza.Error:
		return s.hides(fmt.Sprint(e.Text, e.By))
	case interface{ Unwrap() error }:
		return s.repeatedIn(e.Unwrap())
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(e.Unwrap(), s.repeatedIn)
	}
	return false
}
