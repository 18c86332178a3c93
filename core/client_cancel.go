package sasl

import (
	"context"
	"errors"
	"io"
)

// connGuard closes a connection when a context ends.
type connGuard struct {
	stop   func() bool
	closed chan struct{}
}

func guardConn(ctx context.Context, conn io.Closer) connGuard {
	if ctx.Done() == nil { // the context cannot end
		return connGuard{}
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		conn.Close()
		close(closed)
	})
	return connGuard{stop, closed}
}

// release ends the watch and reports whether the connection was closed.
func (g connGuard) release() bool {
	if g.stop == nil || g.stop() {
		return false
	}
	<-g.closed
	return true
}

// cancelled returns the error of an operation whose context ended. The error also
// contains the error of the run.
func cancelled(ctx context.Context, err error) error {
	switch {
	case ClassOf(err) == ErrConnection && errors.Is(err, ctx.Err()):
		return err // err already contains both
	case errors.Is(err, ErrSecurity): // an ErrSecurity must not be lost
		return classed(ErrConnection, "%w (%w)", ctx.Err(), err)
	case err == nil || errors.Is(err, ctx.Err()):
		return contextError(ctx)
	}
	return classed(ErrConnection, "%w (%v)", ctx.Err(), err)
}
