package sasl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxAttempts bounds Retry, and what follows a refused token.
const maxAttempts = 3

// Authenticate authenticates over conn. A nil error means that the server has
// proved all that the mechanism demands. With an error, the Result has what was
// known by then.
//
// When ctx ends, also if it had before, conn is closed. It is also closed after
// every error that left the exchange open, and after an ErrSecurity of a run in
// which something was sent. After another error it is in sync and Authenticate
// may be called again.
func (c *Client) Authenticate(ctx context.Context, conn Interface, srv ServerInfo) (Result, error) {
	l := &login{first: c, client: c, conn: conn, srv: srv}
	return l.operate(ctx)
}

// Drive authenticates through a library that owns its loop: run hands the
// Session to it and returns the library's error, a refusal as *Failure. What
// the Session knows outranks that error: a library that returns nil although
// the server has not proved everything does not lead to success, and a
// mechanism's own error is not lost in it. If run returns nil and has not
// called Finish, the server is taken to have announced success without data.
//
// After any other error than a *Failure conn is closed, unless run returned
// before it called Start: a foreign loop does not say whether it left the
// exchange cleanly.
func (c *Client) Drive(ctx context.Context, conn io.Closer, srv ServerInfo, run func(*Session) error) (Result, error) {
	l := &login{first: c, client: c, conn: conn, srv: srv, foreign: run}
	return l.operate(ctx)
}

// Begin selects the mechanism and returns the Session of a run, for a loop
// that sees success announced and reports it with Finish. Nearly everyone
// wants Authenticate or Drive, which cannot be misread.
func (c *Client) Begin(ctx context.Context, srv ServerInfo) (*Session, error) {
	l := &login{first: c, client: c, srv: srv}
	if err := l.choose(ctx); err != nil {
		return nil, err
	}
	return newSession(ctx, c, &l.selection, l.selection.first()), nil
}

// login is one operation of a Client.
type login struct {
	first   *Client // whose Retry is asked
	client  *Client // of the attempt
	conn    io.Closer
	srv     ServerInfo
	foreign func(*Session) error // a library's loop; nil = conn is an Interface

	selection  selection
	memories   []memory
	remembered bool      // the client has sent a secret that it remembered
	sent       *redactor // of the attempt before: what it sent stays a secret
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
	if guard.release() {
		// The connection is gone, even if the server had just said yes.
		return result, cancelled(ctx, err)
	}
	return result, err
}

// choose works out what the Client of the next attempt can use.
func (l *login) choose(ctx context.Context) (err error) {
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	if l.selection, err = newSelection(l.client, &l.srv); err != nil {
		return err
	}
	l.memories = memoriesOf(l.client, l.conn)
	for _, m := range l.memories {
		front, err := m.candidates(ctx, &l.selection, !l.remembered)
		if err != nil {
			return err
		}
		l.selection.candidates = slices.Insert(l.selection.candidates, 0, front...)
	}
	if l.remembered {
		l.selection.afterRemembered()
	}
	if l.selection.first() == nil {
		return l.selection.failure()
	}
	return nil
}

// aftermath is what an attempt that failed left behind.
type aftermath struct {
	inSync bool // another attempt can be made on the connection
	forgot bool // what was remembered was the cause: the next candidate follows
}

// attempt is one run of the first candidate.
func (l *login) attempt(ctx context.Context) (Result, aftermath, error) {
	chosen := l.selection.first()
	s := newSession(ctx, l.client, &l.selection, chosen)
	s.redactor.earlier, l.sent = l.sent, &s.redactor
	if len(l.memories) > 0 {
		s.begun = func(s *Session) {
			for _, m := range l.memories {
				m.beforeInitiate(s)
			}
		}
	}
	aborted, err := l.loop(s)
	inSync, err := s.conclude(err, aborted)
	if err == nil {
		err = l.verified(ctx, s)
		return s.Result(), aftermath{}, err
	}
	if !inSync {
		l.conn.Close() // the run's own error says more than a failure to close
	}
	l.remembered = l.remembered || chosen.remembered
	after := aftermath{inSync: inSync && s.steps > 0}
	for _, m := range l.memories {
		if !after.inSync {
			break
		}
		if cause := m.failed(s, err); cause != nil {
			after.forgot, err = true, cause
		}
	}
	return s.Result(), after, err
}

// loop runs a session. It reports whether the exchange was aborted, so that the
// connection serves on.
func (l *login) loop(s *Session) (aborted bool, err error) {
	if l.foreign != nil {
		return false, noNilFailure(l.foreign(s))
	}
	return converse(s, l.conn.(Interface))
}

// noNilFailure returns an error in place of a *Failure that is nil inside an error,
// which refuses nothing and has no words.
func noNilFailure(err error) error {
	var f *Failure
	if err != nil && errors.As(err, &f) && f == nil {
		return configError("the loop returned a nil *Failure as an error; return nil, or a *Failure with a Condition")
	}
	return err
}

// verified is what follows a success that is verified.
func (l *login) verified(ctx context.Context, s *Session) error {
	if conn, ok := l.conn.(RelistingInterface); ok {
		later, err := conn.Relist(ctx)
		if err == nil {
			err = l.checkLater(s, later)
		} else {
			err = withClass(s.redactor.scrubError(err), ErrConnection)
		}
		if err != nil {
			l.conn.Close()
			return err
		}
	}
	for _, m := range l.memories {
		m.succeeded(s)
	}
	return nil
}

// checkLater compares the server's list after a success with the one before. A
// list that the server did not give says nothing.
func (l *login) checkLater(s *Session, later []string) error {
	if len(l.srv.Mechanisms) == 0 || len(later) == 0 {
		return nil
	}
	if name := l.selection.better(s.chosen, later); name != "" {
		return securityError("after the login the server lists %s, which it did not list before: somebody may have removed it from the first list", name)
	}
	return nil
}

// next prepares the attempt that follows a failed one, or returns the error of
// the operation.
func (l *login) next(ctx context.Context, after aftermath, failed error) error {
	switch {
	case after.forgot:
		l.selection.afterRemembered()
		if l.selection.first() == nil {
			return l.nothingFollows(failed, l.selection.failure())
		}
		return nil
	case l.first.Retry == nil || errors.Is(failed, ErrSecurity) || ClassOf(failed) == ErrPolicy:
		return failed
	}
	client := l.first.Retry(ctx, failed)
	if client == nil {
		return failed
	}
	l.client = client
	err := l.choose(ctx)
	if err != nil && l.remembered {
		return l.nothingFollows(failed, err)
	}
	return err
}

// nothingFollows is the error of an operation that ends with a failed attempt,
// because no mechanism that is left may be used after it.
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
