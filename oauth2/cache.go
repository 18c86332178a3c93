package sasloauth2

import (
	"bytes"
	"context"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
	"golang.org/x/oauth2"
)

// cache holds a token from one login to the next. Logins that run at the same time
// share it, and one of them at a time fetches.
type cache struct {
	username string
	// fetch returns a token that is newly issued; held is the one before it, or nil.
	// Nil = there is no way to get one.
	fetch func(ctx context.Context, held *oauth2.Token) (*oauth2.Token, error)

	turn chan struct{} // holds a value while nobody uses held
	held *oauth2.Token
}

func newCache(username string, token *oauth2.Token) *cache {
	c := &cache{username: username, turn: make(chan struct{}, 1), held: token}
	c.turn <- struct{}{}
	return c
}

func (c *cache) source(ctx context.Context, prompt sasl.Prompt) (sasl.BearerToken, error) {
	select {
	case <-c.turn: // a mutex would not end with the context
		defer func() { c.turn <- struct{}{} }()
	case <-ctx.Done():
		return sasl.BearerToken{}, fmt.Errorf("%w: %w", sasl.ErrConnection, ctx.Err())
	}
	if c.fetch != nil && !c.usable(prompt.Refused) {
		fresh, err := c.fetch(ctx, c.held)
		if err != nil {
			return sasl.BearerToken{}, classify(err)
		}
		token, err := bearer(fresh, c.username, true)
		if err != nil {
			return sasl.BearerToken{}, err
		}
		c.held = fresh
		return token, nil
	}
	return bearer(c.held, c.username, c.fetch != nil)
}

// usable reports whether the token that is held has not expired, and is not the one
// that was refused: another login may have fetched one since.
func (c *cache) usable(refused sasl.Secret) bool {
	return c.held.Valid() && !bytes.Equal([]byte(c.held.AccessToken), refused.Bytes())
}
