package saslldap

import "slices"

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
	m.mu.Lock()
	defer m.mu.Unlock()
	said := r.said()
	if said != "" && slices.ContainsFunc(m.screens, func(s *screen) bool { return s.repeats(said) }) {
		r.text, r.matchedDN, r.referrals, r.withheld = withheld, "", nil, true
	}
	return r
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
