package sasl

import (
	"context"
	"io"
)

// memory is one thing that a Client remembers from one login to the next, such
// as its tokens. A login asks it at four moments.
type memory interface {
	// candidates returns those that come in front of the Client's list, with the
	// reasons of those that are not used. If mayUse is not set, nothing that is
	// remembered may be used any more, and it returns none.
	candidates(ctx context.Context, s *selection, mayUse bool) ([]candidate, error)
	// beforeInitiate is called before anything of a run is sent. The exchange has
	// begun, so it has its identity, if it ever has one before the end.
	beforeInitiate(s *Session)
	// succeeded is called after a success that is verified. What becomes of the
	// memory does not undo the login.
	succeeded(s *Session)
	// failed is called after a failure that left the connection in sync. It
	// returns nil unless what was remembered was the cause; then it returns the
	// error, with what it has done about it, and the next candidate follows.
	failed(s *Session, err error) error
}

// memoriesOf returns what a Client remembers, as far as the connection carries
// it.
func memoriesOf(c *Client, conn io.Closer) []memory {
	if carrier, ok := conn.(TokenInterface); ok { // also without tokens: it must not repeat an earlier request
		return []memory{&tokenMemory{tokens: c.Tokens, conn: carrier}}
	}
	return nil
}
