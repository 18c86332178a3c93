package sasl

import (
	"errors"
	"time"
)

// abortWait is how long an aborted exchange waits for the server to acknowledge
// it. The reason for the abort is known by then.
const abortWait = 2 * time.Second

// converse is the loop: it runs a session over an Interface. It reports whether
// it has aborted the exchange, so that the connection serves on.
func converse(s *Session, conn Interface) (aborted bool, err error) {
	mechanism, initial, err := s.Start()
	if err != nil {
		return false, err
	}
	reply, err := conn.Initiate(s.ctx, mechanism, initial)
	if deferring, ok := conn.(DeferringInterface); ok && initial != nil && s.mayRepeat() && isUnread(err) {
		s.sendAgain(asFailure(err), initial)
		reply, err = deferring.InitiateDeferred(s.ctx, mechanism, initial)
	}
	if reply.Inline && !reply.Done {
		s.SentInline(initial)
	}
	for err == nil && !reply.Done {
		var response []byte
		if response, err = s.Respond(reply.Data); err != nil {
			return abort(s, conn, err), err
		}
		reply, err = conn.Respond(s.ctx, response)
	}
	if err == nil {
		return false, s.Finish(reply.Data)
	}
	if ClassOf(err) == ErrProtocol && asFailure(err) == nil {
		return abort(s, conn, err), err
	}
	return false, err
}

// isUnread reports whether the server refused a command without having read the
// message in it. What is suspicious is not repeated.
func isUnread(err error) bool {
	f := asFailure(err)
	return f != nil && f.Unread && !errors.Is(err, ErrSecurity)
}

// abort cancels the exchange, if what ended it leaves a connection to go on
// with, and reports whether the server has acknowledged it.
func abort(s *Session, conn Interface, cause error) bool {
	if errors.Is(cause, ErrSecurity) || s.ctx.Err() != nil {
		return false
	}
	s.trace.text(EventAborted, "")
	defer time.AfterFunc(abortWait, func() { conn.Close() }).Stop()
	return conn.Abort(s.ctx) == nil
}
