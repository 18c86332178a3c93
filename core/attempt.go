package sasl

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// maxAttempts bounds Retry, and what follows a refused token.
const maxAttempts = 3

// operate runs attempts until one ends it.
func (c *Client) operate(ctx context.Context, conn io.Closer, srv *ServerInfo, tokens bool, run func(*Session) error) (Result, error) {
	guard := guardConn(ctx, conn)
	var (
		result Result
		err    error
	)
	for attempt, current := 1, c; ; attempt++ {
		var after aftermath
		result, after, err = current.attempt(ctx, conn, srv, tokens, run)
		if err == nil || !after.inSync || attempt == maxAttempts {
			break
		}
		if current, err = c.next(ctx, current, srv, after, err); current == nil {
			break
		}
	}
	if guard.release() {
		// The connection is gone, even if the server had just said yes.
		return Result{}, cancelled(ctx, err)
	}
	return result, err
}

// next is the Client of the attempt that follows a failed one; nil if none
// does, with the error of the operation.
func (c *Client) next(ctx context.Context, failed *Client, srv *ServerInfo, after aftermath, err error) (*Client, error) {
	if after.tokenRefused {
		return failed.afterToken(srv, err)
	}
	if class := ClassOf(err); c.Retry == nil || class == ErrSecurity || class == ErrPolicy {
		return nil, err
	}
	client := c.Retry(ctx, err)
	if client == nil || !failed.sentToken && !after.tokenSent {
		return client, err
	}
	return client.afterToken(srv, err)
}

// aftermath is what an attempt that failed left behind.
type aftermath struct {
	inSync       bool // another attempt can be made on the connection
	tokenSent    bool // it was with a token
	tokenRefused bool // which the server refused, and which is deleted
}

// attempt is one run.
func (c *Client) attempt(ctx context.Context, conn io.Closer, srv *ServerInfo, tokens bool, run func(*Session) error) (Result, aftermath, error) {
	s, err := c.begin(ctx, srv, tokens)
	if err != nil {
		return Result{}, aftermath{}, err
	}
	inSync, err := s.conclude(run(s))
	if err == nil {
		s.settleToken()
		return s.Result(), aftermath{}, nil
	}
	if !inSync {
		conn.Close() // the run's own error says more than a failure to close
	}
	after := aftermath{inSync: inSync && s.started, tokenSent: s.token != nil}
	after.tokenRefused = after.inSync && s.refusesToken(err)
	if after.tokenRefused && s.dropToken() == nil {
		err = fmt.Errorf("%w; the token is deleted", err)
	}
	return Result{}, after, err
}

// connGuard closes a connection when a context ends.
type connGuard struct {
	stop   func() bool
	closed chan struct{}
}

func guardConn(ctx context.Context, conn io.Closer) connGuard {
	if ctx.Done() == nil { // it can not end
		return connGuard{}
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		conn.Close()
		close(closed)
	})
	return connGuard{stop, closed}
}

// release ends the watch and tells whether the connection was closed.
func (g connGuard) release() bool {
	if g.stop == nil || g.stop() {
		return false
	}
	<-g.closed
	return true
}

// cancelled is the error of an operation whose context ended: that, and what
// it made of the run.
func cancelled(ctx context.Context, err error) error {
	switch {
	case err == nil || errors.Is(err, ctx.Err()):
		return contextError(ctx)
	case errors.Is(err, ErrSecurity): // which must not be lost
		return classed(ErrConnection, "%w (%w)", ctx.Err(), err)
	}
	return classed(ErrConnection, "%w (%v)", ctx.Err(), err)
}
