package sasl

import (
	"bytes"
	"container/list"
	"context"
	"sync"
)

// SCRAMKeys are the keys that a client derives from a password for SCRAM (RFC 5802
// s3). With the keys, a client logs in without the password and without the work of
// the derivation. The ClientKey is enough for a login, so store the keys as
// carefully as a password. The password cannot be computed from the keys, but
// guesses of the password can be tested.
type SCRAMKeys struct {
	Hash        Hash   // of the mechanism
	Salt        []byte // as the server sent it
	Iterations  int    // as the server sent them
	RawPassword bool   // as in SCRAMOptions, when the keys were derived
	ClientKey   Secret // proves the client's knowledge of the password
	ServerKey   Secret // verifies the server's proof
}

// KeyAccount identifies the owner of keys. A KeyAccount can be the key of a map.
type KeyAccount struct {
	Service, Host string // as in ServerInfo
	Username      string // as sent, which is after its preparation
}

// KeyStore keeps the keys that a Client has derived. A KeyStore decides nothing: it
// keeps the list that change returns.
//
// The Client keeps keys only after a run in which the server has proved its
// identity, and at most one entry for each hash and each value of RawPassword of an
// account. With known keys, a login succeeds with any password in the Credentials, so
// share a KeyStore only between Clients of the same person: a gateway that logs in with
// the names and passwords of its users needs a KeyStore for each user and session.
//
// A mechanism and its -PLUS form share an entry. The Client removes an
// entry if the server refuses the credentials. An entry whose salt or count is not
// the server's stays until a verified success replaces the entry.
type KeyStore interface {
	// Update passes the list of the account's keys to change, which may alter the
	// list, and keeps the list that change returns instead. If that list is empty,
	// Update keeps nothing. Until Update returns, no other goroutine changes the
	// account's keys. Change returns at once, does not call the store and does not
	// keep the list. An error means that the stored keys have not changed. An error
	// does not end the login: the Client asks for the password, and the trace shows
	// the error.
	Update(ctx context.Context, account KeyAccount, change func([]SCRAMKeys) []SCRAMKeys) error
}

// MemoryKeys is a KeyStore that lasts as long as the process. The zero value is
// empty and ready. MemoryKeys is safe for concurrent use, and any number of Clients
// of one person may share it. If there are more than Accounts accounts, MemoryKeys forgets the
// account that was used least recently. For an empty list, it keeps the account
// without keys, which it forgets first.
type MemoryKeys struct {
	Accounts int // the largest number of accounts; 0 = 1024

	mu     sync.Mutex
	byName map[KeyAccount]*list.Element // of *accountKeys
	recent list.List                    // the most recently used account is in front
}

type accountKeys struct {
	account KeyAccount
	keys    []SCRAMKeys
}

// Update implements KeyStore.
func (m *MemoryKeys) Update(_ context.Context, account KeyAccount, change func([]SCRAMKeys) []SCRAMKeys) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	entry, found := m.byName[account]
	if !found {
		if keys := change(nil); len(keys) > 0 {
			m.add(account, keys)
		}
		return nil
	}
	kept := entry.Value.(*accountKeys)
	if kept.keys = change(kept.keys); len(kept.keys) > 0 {
		m.recent.MoveToFront(entry)
	} else { // Begin has taken the keys, and Finish puts them back
		m.recent.MoveToBack(entry)
	}
	return nil
}

func (m *MemoryKeys) add(account KeyAccount, keys []SCRAMKeys) {
	if m.byName == nil {
		m.byName = make(map[KeyAccount]*list.Element)
	}
	m.byName[account] = m.recent.PushFront(&accountKeys{account, keys})
	limit := m.Accounts
	if limit == 0 {
		limit = 1024
	}
	for m.recent.Len() > max(limit, 1) {
		m.remove(m.recent.Back())
	}
}

func (m *MemoryKeys) remove(entry *list.Element) {
	delete(m.byName, entry.Value.(*accountKeys).account)
	m.recent.Remove(entry)
}

// fits reports whether the keys were derived with the salt and the count of a
// server.
func (k *SCRAMKeys) fits(first *serverFirst) bool {
	size := k.Hash.Size()
	return k.Iterations == first.iterations && bytes.Equal(k.Salt, first.salt) &&
		len(k.ClientKey.Bytes()) == size && len(k.ServerKey.Bytes()) == size
}

// same reports whether the keys are equal in every part.
func (k *SCRAMKeys) same(other SCRAMKeys) bool {
	return k.Hash == other.Hash && k.RawPassword == other.RawPassword && k.Iterations == other.Iterations &&
		bytes.Equal(k.Salt, other.Salt) && bytes.Equal(k.ClientKey.Bytes(), other.ClientKey.Bytes())
}

// keyring holds the keys of one run. An account has one entry for a hash and a
// RawPassword.
type keyring struct {
	hash    Hash
	raw     bool       // SCRAMOptions.RawPassword
	known   SCRAMKeys  // from the store; the zero value = none
	used    bool       // the run has used the known keys
	derived *SCRAMKeys // by the run, from the password; nil = none
}

func (r *keyring) holds(k SCRAMKeys) bool { return k.Hash == r.hash && k.RawPassword == r.raw }

// find returns the known keys if they were derived with the salt and the count of a
// server.
func (r *keyring) find(first *serverFirst) (client, server Secret, ok bool) {
	if r == nil || r.known.Hash == 0 || !r.known.fits(first) {
		return Secret{}, Secret{}, false
	}
	r.used = true
	return r.known.ClientKey, r.known.ServerKey, true
}

// put notes the keys that the run has derived.
func (r *keyring) put(first *serverFirst, client, server Secret) {
	if r != nil {
		r.derived = &SCRAMKeys{
			Hash: r.hash, Salt: first.salt, Iterations: first.iterations, RawPassword: r.raw,
			ClientKey: client, ServerKey: server,
		}
	}
}
