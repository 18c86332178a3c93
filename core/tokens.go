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

// usable reports whether the token can be a key in this process: HMAC with less
// than 112 bits is not allowed by FIPS 140.
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

// Tokens is how a Client uses tokens (XEP-0484). A token is used and asked for
// only if the server is Secure, and kept only after a run in which the server
// has proved all that the mechanism demands.
//
// A token that the server refuses is deleted, and the next of the Client's
// Mechanisms follows in the same operation. A token that was not used for another
// reason, such as a server that is busy, is kept. In an operation in which a
// token was sent, no mechanism follows that hands its secret over (it does not
// declare KeepsSecret), from Retry neither: such a mechanism is for the next
// operation.
//
// A token has no authzid: it logs in as Username, and a run for another identity
// asks for none. Leave Tokens out if the Mechanisms act as another identity.
type Tokens struct {
	Store    TokenStore
	Username string // whose tokens; the name that the mechanisms authenticate
	// Mechanisms are the ones to ask for a token for, and to log in with, most
	// preferred first. Nil = those of HT-SHA-256 that bind: -EXPR, -UNIQ, -ENDP.
	// HT-SHA-256-NONE, which binds to nothing, is used only if it is named.
	Mechanisms []string
	// Invalidate asks the server to forget the token that is logged in with, and
	// deletes it: this was the last time. No other is asked for.
	Invalidate bool
}

// ServerTokens is how a Server takes and issues tokens (XEP-0484).
type ServerTokens struct {
	Store TokenStore
	// Mechanisms are those that take a token, in the order in which they are
	// offered: HT-SHA-256-EXPR, -UNIQ, -ENDP or -NONE. Each is offered only if the
	// connection is Secure, whatever Server.Insecure says, and has what the
	// mechanism binds to. Nil = those that bind.
	Mechanisms []string
}

// TokenUse is what a client says about its token beside the first message
// (XEP-0484 s3.4).
type TokenUse struct {
	ClientID   string // the id of its user-agent (XEP-0388); "" = not stated
	Count      uint64 // 0 = not stated
	Invalidate bool
	// EarlyData says that the message came in a 0-RTT payload of TLS, which can
	// be replayed: without a Count that rises it is refused.
	EarlyData bool
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
