package sasl

import (
	"bytes"
	"context"
	"crypto/fips140"
	"crypto/rand"
	"maps"
	"slices"
	"sync"
	"time"
)

// Token is a secret that a server gives to a client that has authenticated, to
// log in with from then on in one round trip (XEP-0484). It is good for one
// mechanism, which the client chose when it asked.
type Token struct {
	Mechanism string
	Secret    Secret    // the text as issued: its octets are the key
	Expiry    time.Time // zero = not known
	// Count is the highest number that a run with the token had (XEP-0484 s3.4).
	Count uint64
}

// NewToken makes a token of 256 random bits.
func NewToken(mechanism string, expiry time.Time) Token {
	return Token{Mechanism: mechanism, Secret: NewSecret("secret-token:" + rand.Text() + rand.Text()), Expiry: expiry}
}

// usable says whether the token can be a key in this process: HMAC with less
// than 112 bits is not allowed by FIPS 140.
func (t Token) usable() bool {
	size := len(t.Secret.Bytes())
	return size > 0 && size <= maxName && (size >= 14 || !fips140.Enforced())
}

func (t Token) expired(now time.Time) bool { return !t.Expiry.IsZero() && !t.Expiry.After(now) }

func (t Token) same(other Token) bool {
	return t.Mechanism == other.Mechanism && bytes.Equal(t.Secret.Bytes(), other.Secret.Bytes())
}

// TokenAccount is whose tokens are meant. It can be the key of a map.
type TokenAccount struct {
	Service, Host, Username string
	// ClientID is, at a server, which of the user's clients: the id of its
	// user-agent (XEP-0388). At a client it is empty.
	ClientID string
}

// TokenStore keeps the tokens of a client or of a server. It decides nothing:
// what is kept is what change returns. A server that ends all tokens of a user,
// because the password is another, does so in its store.
type TokenStore interface {
	// Update gives change a list of the account's tokens, which it may alter,
	// and keeps what it returns in their place, for an empty list nothing. Nobody
	// else reads or changes them in between, not in another process either: a
	// count must not be used twice. Change returns at once and does not call
	// the store. An error says that nothing has changed; without a Class it
	// counts as ErrConfig at a client and as ErrTemporary at a server.
	Update(ctx context.Context, account TokenAccount, change func([]Token) []Token) error
}

// MemoryTokens is a TokenStore that lasts as long as the process. The zero
// value is empty and ready. It is safe for concurrent use. What has expired goes
// in time; how many clients a user has is for a server to bound.
type MemoryTokens struct {
	mu     sync.Mutex
	tokens map[TokenAccount][]Token
	swept  int // how many accounts there were after the last sweep
}

// Update is for a Client or a Server.
func (m *MemoryTokens) Update(_ context.Context, account TokenAccount, change func([]Token) []Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := change(slices.Clone(m.tokens[account]))
	if len(list) == 0 {
		delete(m.tokens, account)
		return nil
	}
	if m.tokens == nil {
		m.tokens = make(map[TokenAccount][]Token)
	}
	m.tokens[account] = slices.Clone(list)
	if len(m.tokens) > 2*m.swept+64 {
		now := time.Now()
		maps.DeleteFunc(m.tokens, func(_ TokenAccount, list []Token) bool {
			return !slices.ContainsFunc(list, func(t Token) bool { return !t.expired(now) })
		})
		m.swept = len(m.tokens)
	}
	return nil
}
