package sasl_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// overtaken is a store in which another run has stored its token before the second
// update.
type overtaken struct {
	sasl.TokenStore
	updates int
}

func (o *overtaken) Update(ctx context.Context, account sasl.TokenAccount, change func([]sasl.Token) []sasl.Token) error {
	if o.updates++; o.updates == 2 {
		put(o.TokenStore, account, sasl.Token{Mechanism: "HT-SHA-256-EXPR", Secret: sasl.NewSecret("of another run")})
	}
	return o.TokenStore.Update(ctx, account, change)
}

// failing is a store in which one update and all later updates fail.
type failing struct {
	sasl.TokenStore
	after int
	err   error
}

func (f *failing) Update(ctx context.Context, account sasl.TokenAccount, change func([]sasl.Token) []sasl.Token) error {
	if f.after--; f.after < 0 {
		return f.err
	}
	return f.TokenStore.Update(ctx, account, change)
}

// forgetful is a store that performs an update and then returns an error.
type forgetful struct{ sasl.TokenStore }

func (f forgetful) Update(ctx context.Context, account sasl.TokenAccount, change func([]sasl.Token) []sasl.Token) error {
	f.TokenStore.Update(ctx, account, change)
	return errors.New("did it last?")
}

// lazy is a store that does nothing.
type lazy struct{}

func (lazy) Update(context.Context, sasl.TokenAccount, func([]sasl.Token) []sasl.Token) error {
	return nil
}

// TestMemoryTokens shows that concurrent runs never have the same count.
func TestMemoryTokens(t *testing.T) {
	store := new(sasl.MemoryTokens)
	put(store, phone, token("EXPR"))
	seen := make(chan uint64, 200)
	for range cap(seen) {
		go store.Update(t.Context(), phone, func(tokens []sasl.Token) []sasl.Token {
			tokens[0].Count++
			seen <- tokens[0].Count
			return tokens
		})
	}
	counts := make(map[uint64]bool)
	for range cap(seen) {
		counts[<-seen] = true
	}
	if len(counts) != cap(seen) {
		t.Errorf("%d counts of %d runs", len(counts), cap(seen))
	}
}

// TestMemoryTokensExpire shows that a store does not keep an expired token for ever,
// even if its client does not return.
func TestMemoryTokensExpire(t *testing.T) {
	store := new(sasl.MemoryTokens)
	account := func(i int) sasl.TokenAccount {
		return sasl.TokenAccount{Username: "user", ClientID: strconv.Itoa(i)}
	}
	const kept = 10
	good, over := token("NONE"), token("NONE")
	good.Expiry, over.Expiry = time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for i := range 1000 {
		if i%100 == 0 {
			put(store, account(i), over, good)
			continue
		}
		put(store, account(i), over)
	}
	left, rest := 0, 0
	for i := range 1000 {
		switch n := len(held(t, store, account(i))); {
		case i%100 == 0 && n == 2:
			left++
		case n > 0:
			rest++
		}
	}
	if left != kept || rest > 200 {
		t.Errorf("%d with a token that is good, %d without", left, rest)
	}
}
