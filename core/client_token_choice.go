package sasl

import (
	"context"
	"errors"
	"slices"
	"time"
)

// The reasons why a login passes over a token.
var (
	errTokenInsecure   = errors.New("a token is used only with a server that is Secure")
	errTokenNoHost     = errors.New("a token is used only with a server whose Host is known")
	errTokenUnnamed    = errors.New("not among Tokens.Mechanisms")
	errTokenUnbindable = errors.New("this connection does not have the channel binding that the token needs")
	errTokenUnusable   = errors.New("the token has expired, is used up, or cannot be a key here")
)

// candidates judges the mechanisms for tokens. candidates also takes the best
// token from the store, and counts the use of that token.
func (m *tokenMemory) candidates(ctx context.Context, s *selection, mayUse bool) ([]candidate, error) {
	if m.tokens == nil {
		return nil, nil
	}
	if err := m.tokens.check(); err != nil {
		return nil, err
	}
	m.srv = s.srv
	ways := m.judge(s)
	for _, w := range ways {
		if w.reason == nil && m.wanted == "" && !m.tokens.Invalidate {
			m.wanted = w.name
		}
	}
	if !mayUse {
		return nil, nil
	}
	if !slices.ContainsFunc(ways, func(w tokenWay) bool { return w.reason == nil }) {
		return m.unused(ways), nil
	}
	var front []candidate
	err := m.update(ctx, func(tokens []Token) []Token {
		i := m.best(tokens, ways)
		if i >= 0 {
			tokens[i].Count++
			m.taken = tokens[i]
		}
		front = m.withHeld(ways, tokens)
		return slices.DeleteFunc(tokens, isOver)
	})
	return front, err
}

// isOver reports whether a token cannot be used for a login any more.
func isOver(t Token) bool { return t.expired(time.Now()) || t.isUsedUp() }

// tokenWay is a mechanism for tokens, with its binding, or with the reason why the
// mechanism is not used.
type tokenWay struct {
	name    string
	binding ChannelBinding // the zero value if the mechanism does not bind
	reason  error
}

func (w *tokenWay) candidate(m Mechanism) candidate {
	c := candidate{mechanism: m, name: w.name, properties: hashedTokenProperties, flag: 'n', binding: w.binding, reason: w.reason, remembered: true}
	if w.binding.Type != "" {
		c.flag = 'p'
	}
	return c
}

// judge returns each mechanism with its binding, or with the reason why the
// mechanism is not used.
func (m *tokenMemory) judge(s *selection) []tokenWay {
	names, offered := m.tokens.Mechanisms, m.conn.TokenMechanisms()
	if names == nil {
		names = tokensByPreference
	}
	ways := make([]tokenWay, len(names))
	for i, name := range names {
		w := &ways[i]
		w.name = name
		_, forbidden := s.permit(name, &hashedTokenProperties)
		if !slices.Contains(offered, name) {
			w.reason = errNotOffered
		} else if w.reason = m.bind(w, &s.channel); w.reason == nil {
			w.reason = forbidden
		}
	}
	return ways
}

// bind sets the binding of a mechanism, or returns the reason why the mechanism is
// not used here. Without TLS, an eavesdropper could log in with the sent message
// (XEP-0484 s6).
func (m *tokenMemory) bind(w *tokenWay, ch *channel) error {
	kind := tokenBindingTypes[w.name]
	binding, found := find(ch.ours, kind)
	switch {
	case !m.srv.Secure:
		return errTokenInsecure
	case m.srv.Host == "":
		return errTokenNoHost
	case kind == "" && ch.policy == RequireBinding:
		return errUnbound
	case kind == "":
		return nil
	case ch.none != nil:
		return ch.none
	case !found:
		return errTokenUnbindable
	}
	w.binding = binding
	return nil
}

// best returns the index of the token to use; -1 = no token.
func (m *tokenMemory) best(tokens []Token, ways []tokenWay) int {
	for _, w := range ways {
		if w.reason != nil {
			continue
		}
		i := slices.IndexFunc(tokens, func(t Token) bool { return t.Mechanism == w.name && t.usable() && !isOver(t) })
		if i >= 0 {
			return i
		}
	}
	return -1
}

// unused returns the mechanisms that the server offers but the login cannot use.
// The login did not read the store.
func (m *tokenMemory) unused(ways []tokenWay) (front []candidate) {
	for i := range ways {
		if ways[i].reason != errNotOffered {
			front = append(front, ways[i].candidate(nil))
		}
	}
	return front
}

// withHeld returns a candidate for the token to use, and for each token that is not
// usable a candidate with the reason.
func (m *tokenMemory) withHeld(ways []tokenWay, held []Token) (front []candidate) {
	for i := range held {
		t := &held[i]
		w := &tokenWay{name: t.Mechanism, reason: errTokenUnnamed}
		if j := slices.IndexFunc(ways, func(w tokenWay) bool { return w.name == t.Mechanism }); j >= 0 {
			w = &ways[j]
		}
		switch {
		case w.reason != nil:
			front = append(front, w.candidate(nil))
		case m.taken.same(*t):
			front = append(front, w.candidate(&hashedToken{name: t.Mechanism, username: m.tokens.Username, token: m.taken}))
		case isOver(*t), !t.usable():
			c := w.candidate(nil)
			c.reason = errTokenUnusable
			front = append(front, c)
		} // else another token is better
	}
	return front
}

func (t *Tokens) check() error {
	switch {
	case t.Store == nil:
		return configError("the Tokens have no store: set Tokens.Store")
	case t.Username == "":
		return configError("the Tokens have no username: set Tokens.Username")
	}
	for _, name := range t.Mechanisms {
		if _, known := tokenBindingTypes[name]; !known {
			return configError("%q is not a mechanism for a token", Printable(name))
		}
	}
	return nil
}
