package sasl

import (
	"bytes"
	"context"
	"crypto/fips140"
	"crypto/rand"
	"maps"
	"math"
	"slices"
	"sync"
	"time"
)

// Token is a secret that a server gives to an authenticated client. With the
// token, the client logs in later in one round trip (XEP-0484). A token is valid
// for one mechanism, which the client chose in its request.
type Token struct {
	Mechanism string    // the only mechanism that accepts the token
	Secret    Secret    // the issued text, whose octets are the key
	Expiry    time.Time // zero = not known
	// Count is the highest number of a run with the token (XEP-0484 s3.4).
	Count uint64
}

// NewToken makes a token from 256 random bits.
func NewToken(mechanism string, expiry time.Time) Token {
	return Token{Mechanism: mechanism, Secret: NewSecret("secret-token:" + rand.Text() + rand.Text()), Expiry: expiry}
}

// usable reports whether the token can be a key in this process: FIPS 140 does not
// allow HMAC with a key of less than 112 bits.
func (t Token) usable() bool {
	size := len(t.Secret.Bytes())
	return size > 0 && size <= maxName && (size >= 14 || !fips140.Enforced())
}

func (t Token) expired(now time.Time) bool { return !t.Expiry.IsZero() && !t.Expiry.After(now) }

// isUsedUp reports whether no further run can have a number of its own.
func (t Token) isUsedUp() bool { return t.Count == math.MaxUint64 }

func (t Token) same(other Token) bool {
	return t.Mechanism == other.Mechanism && bytes.Equal(t.Secret.Bytes(), other.Secret.Bytes())
}

// Tokens configures the tokens of a Client (XEP-0484). A Client uses and requests
// a token only if the server is Secure. A Client keeps an issued token only after
// a run in which the server has proved everything that the mechanism demands.
//
// If the server refuses a token, the Client deletes the token, and the next of the
// Client's Mechanisms follows in the same operation. If a token was not accepted
// for another reason, for example because the server is busy, the Client keeps
// the token. After a token was sent, no mechanism without the property
// KeepsSecret follows in the same operation, also not from Retry. Such a
// mechanism has to wait for the next operation.
//
// A token has no authzid. A token logs in as Username, and a run for another
// identity requests no token. Do not set Tokens if the Mechanisms act as another
// identity.
type Tokens struct {
	Store    TokenStore // keeps the tokens from one login to the next
	Username string     // the owner of the tokens: the name that the mechanisms authenticate
	// Mechanisms are the mechanisms that log in with a token, most preferred first.
	// The Client also requests tokens for them. Nil = the mechanisms of HT-SHA-256
	// that bind: -EXPR, -UNIQ, -ENDP. A Client uses HT-SHA-256-NONE, which does not
	// bind, only if Mechanisms names it.
	Mechanisms []string
	// Invalidate makes this login the last login with the token. The Client asks
	// the server to forget the token, deletes the token, and requests no other
	// token.
	Invalidate bool
}

// ServerTokens configures the tokens of a Server (XEP-0484).
type ServerTokens struct {
	Store TokenStore // keeps the tokens of all users
	// Mechanisms are the mechanisms that accept a token, in the order of the
	// server's list: HT-SHA-256-EXPR, -UNIQ, -ENDP or -NONE. A Server offers a
	// mechanism only if the connection is Secure, regardless of Server.Insecure,
	// and has the mechanism's type of channel binding. Nil = the mechanisms that
	// bind.
	Mechanisms []string
}

// TokenUse holds a client's data about its token that accompany the first message
// (XEP-0484 s3.4).
type TokenUse struct {
	ClientID   string // the id of the client's user-agent (XEP-0388); "" = not stated
	Count      uint64 // 0 = not stated
	Invalidate bool   // this login is the last login with the token
	// EarlyData reports that the message came in a 0-RTT payload of TLS. An
	// attacker can replay such a payload, so the server refuses the message unless
	// Count has risen.
	EarlyData bool
}

// TokenAccount identifies the owner of tokens. A TokenAccount can be the key of a
// map.
type TokenAccount struct {
	Service, Host, Username string // as in ServerInfo, and the name of the owner
	// ClientID identifies, at a server, one of the user's clients: the id of the
	// client's user-agent (XEP-0388). At a client, ClientID is empty.
	ClientID string
}

// TokenStore keeps the tokens of a client or of a server. A TokenStore decides
// nothing: it keeps the list that change returns. To end all tokens of a user, for
// example after a change of the password, a server deletes the tokens in its
// store.
type TokenStore interface {
	// Update passes the list of the account's tokens to change, which may alter the
	// list, and keeps the list that change returns instead. If that list is empty,
	// Update keeps nothing. Until Update returns, no other goroutine and no other
	// process reads or changes the account's tokens: a count must not be used
	// twice. Change returns at once and does not call the store. An error means
	// that the stored tokens have not changed. An error without a Class counts as
	// ErrConfig at a client and as ErrTemporary at a server.
	Update(ctx context.Context, account TokenAccount, change func([]Token) []Token) error
}

// MemoryTokens is a TokenStore that lasts as long as the process. The zero value
// is empty and ready. MemoryTokens is safe for concurrent use. From time to time,
// MemoryTokens removes accounts whose tokens have all expired. A server has to
// limit the number of clients of a user.
type MemoryTokens struct {
	mu     sync.Mutex
	tokens map[TokenAccount][]Token
	swept  int // the number of accounts after the last sweep
}

// Update implements TokenStore, for a Client or a Server.
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
