package sasl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxAttempts limits the attempts of an operation: Retry's attempts, and the
// attempts after a refused token.
const maxAttempts = 3

// Authenticate authenticates over conn. A nil error means that the server has
// proved everything that the mechanism demands. With an error, the Result holds
// the facts that were known when the error occurred.
//
// Authenticate closes conn if ctx ends, or has already ended. Authenticate also
// closes conn after every error that left the exchange open, and after an
// ErrSecurity of a run in which a message was sent. After any other error conn is
// in sync, and the caller may call Authenticate again.
func (c *Client) Authenticate(ctx context.Context, conn Interface, srv ServerInfo) (Result, error) {
	if _, ok := conn.(LayerInterface); srv.CarriesLayer && !ok {
		return Result{}, configError("ServerInfo.CarriesLayer is set, but the connection has no InstallLayer: implement LayerInterface")
	}
	l := &login{first: c, client: c, conn: conn, srv: srv}
	return l.operate(ctx)
}

// Drive authenticates through a library that owns its loop. The function run
// passes the Session to the library and returns the library's error, with a
// refusal as a *Failure. The state of the Session outranks that error. If the
// library returns nil although the server has not proved everything, the login
// fails. An error of the mechanism itself is not lost. If run returns nil and has
// not called Finish, the server has announced success without data.
//
// After an error that is not a *Failure, Drive closes conn, unless run returned
// before calling Start: a foreign loop does not report whether the loop left the
// exchange cleanly.
func (c *Client) Drive(ctx context.Context, conn io.Closer, srv ServerInfo, run func(*Session) error) (Result, error) {
	l := &login{first: c, client: c, conn: conn, srv: srv, foreign: run}
	return l.operate(ctx)
}

// Begin selects the mechanism and returns the Session of a run, for a loop that
// sees the announcement of success and reports the announcement with Finish.
// Prefer Authenticate or Drive: their results cannot be misread.
func (c *Client) Begin(ctx context.Context, srv ServerInfo) (*Session, error) {
	l := &login{first: c, client: c, srv: srv}
	if err := l.choose(ctx); err != nil {
		return nil, err
	}
	return l.newSession(ctx), nil
}

// operate runs attempts until one ends the operation.
func (l *login) operate(ctx context.Context) (result Result, err error) {
	guard := guardConn(ctx, l.conn)
	err = l.choose(ctx)
	for attempt := 1; err == nil; attempt++ {
		var after aftermath
		result, after, err = l.attempt(ctx)
		if err == nil || !after.inSync || attempt == maxAttempts {
			break
		}
		err = l.next(ctx, after, err)
	}
	closed := guard.release()
	if !closed && err != nil && ctx.Err() != nil { // the guard had not begun yet
		l.conn.Close()
		closed = true
	}
	if closed {
		// The connection is closed, even if the server has just announced success.
		return result, cancelled(ctx, err)
	}
	return result, err
}

// choose makes the selection for the Client of the next attempt.
func (l *login) choose(ctx context.Context) (err error) {
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	if l.selection, err = newSelection(l.client, &l.srv); err != nil {
		return err
	}
	l.memories.collect(l.client, l.conn)
	for _, m := range l.memories.list {
		front, err := m.candidates(ctx, &l.selection, !l.remembered)
		if err != nil {
			return err
		}
		l.selection.candidates = slices.Insert(l.selection.candidates, 0, front...)
	}
	if l.remembered {
		l.selection.afterRemembered()
	} else if l.handed {
		l.selection.afterToken()
	}
	if l.selection.first() == nil {
		return l.selection.failure()
	}
	return nil
}

// next prepares the attempt that follows a failed one, or returns the error of
// the operation.
func (l *login) next(ctx context.Context, after aftermath, failed error) error {
	if after.forgot {
		l.selection.afterRemembered()
		if l.selection.first() == nil {
			return l.nothingFollows(failed, l.selection.failure())
		}
		return nil
	}
	if failed = l.renewal.renew(ctx, after.session, l.conn, failed); failed == nil {
		return nil
	}
	if ctx.Err() != nil || l.first.Retry == nil || errors.Is(failed, ErrSecurity) || ClassOf(failed) == ErrPolicy {
		return failed
	}
	client := l.first.Retry(ctx, failed)
	if client == nil {
		return failed
	}
	l.client = client
	err := l.choose(ctx)
	if ClassOf(err) == ErrPolicy && (l.remembered || l.handed) {
		return l.nothingFollows(failed, err)
	}
	return err
}

// nothingFollows returns the error of an operation that ends with a failed
// attempt, because no remaining mechanism may follow that attempt.
func (l *login) nothingFollows(failed, reason error) error {
	e := &LoginError{
		Err:        fmt.Errorf("%w; nothing may follow: %v", failed, reason),
		PassedOver: l.selection.passedOver(true),
		ByServer:   asFailure(failed) != nil,
	}
	var advised *LoginError
	if errors.As(failed, &advised) {
		e.Hints = advised.Hints
	}
	return e
}
