package sasl

import (
	"context"
	"slices"
)

// keyUser is an exchange that derives keys from a password. The exchange states the
// hash and the preparation in the keyring.
type keyUser interface{ useKeys(*keyring) }

// keyMemory is the memory of one login for the keys of a Client.
type keyMemory struct {
	store KeyStore
	// unreported: nobody reports a refusal of the run. The keys leave the store
	// until the run has succeeded, because a refusal has to remove them.
	unreported bool
	account    KeyAccount
	ring       *keyring // nil = the run uses no keys
	run        keyring  // the memory of ring
}

func (m *keyMemory) candidates(context.Context, *selection, bool) ([]candidate, error) {
	return nil, nil
}

// beforeInitiate passes the account's keys to an exchange that can use keys.
// Without the name of the host, the keys of one server could be taken for those of
// another.
func (m *keyMemory) beforeInitiate(s *Session) {
	m.ring = nil
	srv, exchange := s.selection.srv, s.exchange
	user, ok := exchange.(keyUser)
	if !ok || srv.Host == "" {
		return
	}
	m.run = keyring{}
	m.ring = &m.run
	user.useKeys(m.ring)
	m.account = KeyAccount{srv.Service, srv.Host, exchange.Identity().Username}
	if err := m.store.Update(s.ctx, m.account, m.take); err != nil {
		traceKeys(s, "the keys are not known", err)
		m.ring.known = SCRAMKeys{}
	}
}

// take reads the known keys and, if nobody reports a refusal, removes them.
func (m *keyMemory) take(keys []SCRAMKeys) []SCRAMKeys {
	if i := slices.IndexFunc(keys, m.ring.holds); i >= 0 {
		m.ring.known = keys[i]
		if m.unreported {
			return slices.Delete(keys, i, i+1)
		}
	}
	return keys
}

// succeeded stores the keys that the run derived. A failure to store them does not
// undo the login.
func (m *keyMemory) succeeded(s *Session) {
	ring := m.ring
	switch {
	case ring == nil:
	case ring.derived != nil:
		traceKeys(s, "the keys are kept", m.keep(s, *ring.derived))
	case ring.used && m.unreported:
		if err := m.keep(s, ring.known); err != nil {
			traceKeys(s, "the keys are kept", err)
		}
	}
}

func (m *keyMemory) keep(s *Session, kept SCRAMKeys) error {
	return m.store.Update(s.ctx, m.account, func(keys []SCRAMKeys) []SCRAMKeys {
		return append(slices.DeleteFunc(keys, m.ring.holds), kept)
	})
}

// failed removes the keys of the run if the server has refused the credentials.
// Remembered keys are no reason for another attempt.
func (m *keyMemory) failed(s *Session, err error, _ bool) error {
	if m.ring == nil || !m.ring.used || asFailure(err) == nil || ClassOf(err) != ErrAuthentication {
		return nil
	}
	err = m.store.Update(s.ctx, m.account, func(keys []SCRAMKeys) []SCRAMKeys {
		return slices.DeleteFunc(keys, m.ring.known.same)
	})
	traceKeys(s, "the keys are deleted", err)
	return nil
}

func traceKeys(s *Session, text string, err error) {
	if err != nil {
		text += ": failed: " + Printable(err.Error())
	}
	s.trace.text(EventKeys, text)
}
