package sasloauth2

import (
	"context"
	"fmt"
	"sync"

	sasl "github.com/saslkit/saslkit/core"
	"golang.org/x/oauth2"
)

// FromTokenSource returns a source with the tokens of tokens. Nothing can make an
// oauth2.TokenSource refresh a token before it expires, so a login whose token is
// refused gets no second attempt, and its error says so. FromConfig and FromFunc
// can.
//
// Token has no context. If the login's context ends, the login does not wait any
// longer, and the call goes on by itself. Logins that come meanwhile wait for the
// same call, so there is never more than one.
func FromTokenSource(tokens oauth2.TokenSource, username string) sasl.BearerSource {
	if tokens == nil {
		return failing(errNothing)
	}
	shared := &sharedSource{tokens: tokens}
	return func(ctx context.Context, _ sasl.Prompt) (sasl.BearerToken, error) {
		token, err := shared.token(ctx)
		if err != nil {
			return sasl.BearerToken{}, err
		}
		return bearer(token, username, false)
	}
}

// sharedSource makes one call of Token at a time.
type sharedSource struct {
	tokens oauth2.TokenSource

	mu      sync.Mutex
	pending *call // nil = none is under way
}

// call is a call of Token. Token and err are set when done is closed.
type call struct {
	done  chan struct{}
	token *oauth2.Token
	err   error
}

func (s *sharedSource) token(ctx context.Context) (*oauth2.Token, error) {
	pending := s.join()
	select {
	case <-pending.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", sasl.ErrConnection, ctx.Err())
	}
	if pending.err != nil {
		return nil, classify(pending.err)
	}
	return pending.token, nil
}

// join returns the call that is under way, or begins one.
func (s *sharedSource) join() *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending == nil {
		s.pending = &call{done: make(chan struct{})}
		go s.run(s.pending)
	}
	return s.pending
}

func (s *sharedSource) run(c *call) {
	c.token, c.err = s.tokens.Token()
	s.mu.Lock()
	s.pending = nil
	s.mu.Unlock()
	close(c.done)
}
