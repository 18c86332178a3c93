package sasl

import (
	"context"
	"io"
)

// login is one operation of a Client.
type login struct {
	first   *Client // the Client of the operation, whose Retry is called
	client  *Client // the Client of the attempt
	conn    io.Closer
	srv     ServerInfo
	foreign func(*Session) error // a library's loop; nil = conn is an Interface

	selection  selection
	memories   memories
	remembered bool // the client has sent a remembered secret
	handed     bool // the client has sent a token that a server can use elsewhere
	renewal    renewal
	sent       *redactor // of the previous attempt, whose secrets stay secrets
}

// aftermath describes the state after a failed attempt.
type aftermath struct {
	inSync  bool // the connection allows another attempt
	forgot  bool // the remembered secret was the cause: the next candidate follows
	session *Session
}

// newSession begins a run of the first candidate, with the memories.
func (l *login) newSession(ctx context.Context) *Session {
	c, chosen := l.client, l.selection.first()
	exchange := chosen.mechanism.New(Terms{
		Server:           l.srv,
		Binding:          chosen.binding,
		Layer:            chosen.layer,
		GS2Flag:          chosen.flag,
		ListHashRequired: chosen.listHashRequired,
		SCRAM:            c.SCRAM,
		nonce:            c.nonce,
	})
	s := &Session{
		ctx: ctx, selection: &l.selection, chosen: chosen, exchange: exchange,
		trace: tracer{c.Trace, chosen.name}, redactor: redactor{exchange: exchange},
	}
	if len(l.memories.list) > 0 {
		s.remember = l.remember
	}
	return s
}

// remember calls the memories once the exchange has begun and, in a run of Begin,
// after the success.
func (l *login) remember(s *Session) {
	switch {
	case s.state != finished:
		for _, m := range l.memories.list {
			m.beforeInitiate(s)
		}
	case l.conn == nil:
		l.succeeded(s)
	}
}

func (l *login) succeeded(s *Session) {
	for _, m := range l.memories.list {
		m.succeeded(s)
	}
}

// attempt is one run of the first candidate.
func (l *login) attempt(ctx context.Context) (Result, aftermath, error) {
	chosen := l.selection.first()
	s := l.newSession(ctx)
	s.redactor.earlier, l.sent = l.sent, &s.redactor
	if conn, ok := l.conn.(interface {
		Screen(repeats func(text string) bool)
	}); ok {
		s.redactor.screen = conn.Screen
	}
	aborted, err := l.loop(s)
	inSync, err := s.conclude(err, aborted)
	if err == nil {
		err = l.verified(ctx, s)
		return s.Result(), aftermath{}, err
	}
	if !inSync {
		l.conn.Close() // the run's own error is more useful than an error of Close
	}
	l.remembered = l.remembered || chosen.remembered
	l.handed = l.handed || chosen.handsToken() && s.sent > 0
	after := aftermath{inSync: inSync && s.steps > 0, session: s}
	for _, m := range l.memories.list {
		if cause := m.failed(s, err, after.inSync); cause != nil {
			after.forgot, err = true, cause
		}
	}
	return s.Result(), after, err
}

// loop runs a session. The result aborted reports that the exchange was aborted
// and that the connection is in sync.
func (l *login) loop(s *Session) (aborted bool, err error) {
	if l.foreign != nil {
		return false, noNilFailure(l.foreign(s))
	}
	return converse(s, l.conn.(Interface))
}

// verified performs the actions after a verified success.
func (l *login) verified(ctx context.Context, s *Session) error {
	s.install(l.conn)
	if conn, ok := l.conn.(RelistingInterface); ok {
		later, err := conn.Relist(ctx)
		if err == nil {
			err = l.compareWithLater(s, later)
		} else {
			err = withClass(s.redactor.scrubError(err), ErrConnection)
		}
		if err != nil {
			l.conn.Close()
			return err
		}
	}
	l.succeeded(s)
	return nil
}

// compareWithLater compares the server's list before the login with its list after
// the login. A missing list proves nothing.
func (l *login) compareWithLater(s *Session, later []string) error {
	if len(l.srv.Mechanisms) == 0 || len(later) == 0 {
		return nil
	}
	if name := l.selection.better(s.chosen, later); name != "" {
		return securityError("after the login the server lists %s, but the first list did not contain this mechanism: an attacker may have removed the mechanism from the first list", name)
	}
	return nil
}
