package saslldap

import (
	"slices"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// maxScreens limits the binds whose secrets a connection remembers.
const maxScreens = 64

// withheld stands in place of words of the server that repeat a secret.
const withheld = "(withheld: it repeats a secret)"

// screen has the secrets of a bind, in the form of a question.
type screen struct {
	repeats func(text string) bool
}

// addScreen adds the secrets of a bind to those for which the server's texts are
// searched. If there are too many, no text is shown any more. The caller holds m.mu.
func (m *mux) addScreen(repeats func(text string) bool) *screen {
	added := &screen{repeats}
	if len(m.screens) == maxScreens {
		m.screens = []*screen{{func(string) bool { return true }}}
	}
	m.screens = append(m.screens, added)
	return added
}

// examine takes the server's words out of a result if they repeat a secret that was
// sent on this connection. The Client does that for the bind that runs, and for no
// earlier one.
func (m *mux) examine(r result) result {
	if m.repeatsSecret(r.said()) {
		r.text, r.matchedDN, r.referrals, r.withheld = withheld, "", nil, true
	}
	return r
}

// repeatsSecret reports whether a text repeats a secret that was sent on this
// connection.
func (m *mux) repeatsSecret(text string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return text != "" && slices.ContainsFunc(m.screens, func(s *screen) bool { return s.repeats(text) })
}

// shownNames returns a list of mechanisms without those that the Client does not have,
// if their names repeat a secret: an error shows them.
func (m *mux) shownNames(list []string, auth *sasl.Client) (shown []string) {
	isForeign := func(name string) bool {
		return !slices.ContainsFunc(auth.Mechanisms, func(own sasl.Mechanism) bool { return own.Name() == name })
	}
	foreign := slices.DeleteFunc(slices.Clone(list), func(name string) bool { return !isForeign(name) })
	if !m.repeatsSecret(strings.Join(foreign, " ")) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), isForeign)
}

// Screen implements sasl.ScreeningInterface: a notice of disconnection gets into the
// errors of the library's requests, and what a server says may repeat a secret of an
// earlier bind.
func (b *binder) Screen(repeats func(text string) bool) {
	b.mux.mu.Lock()
	defer b.mux.mu.Unlock()
	if b.screen == nil {
		b.screen = b.mux.addScreen(repeats)
	}
	b.screen.repeats = repeats
}
