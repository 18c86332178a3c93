package sasl

import (
	"errors"
	"time"
)

// abortWait is the time that the client waits for the server's acknowledgement of
// an abort. The wait is short, because the reason for the abort is already known.
const abortWait = 2 * time.Second

// converse is the loop: converse runs a session over an Interface. The result
// aborted reports that converse aborted the exchange and that the connection is in
// sync.
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

// isUnread reports whether the server refused a command without reading the message
// in the command. An ErrSecurity does not count: a suspicious run sends nothing
// again.
func isUnread(err error) bool {
	f := asFailure(err)
	return f != nil && f.Unread && !errors.Is(err, ErrSecurity)
}

// abort cancels the exchange, unless the cause or the context makes the connection
// unusable. abort reports whether the server has acknowledged the end.
func abort(s *Session, conn Interface, cause error) bool {
	if errors.Is(cause, ErrSecurity) || s.ctx.Err() != nil {
		return false
	}
	s.trace.text(EventAborted, "")
	defer time.AfterFunc(abortWait, func() { conn.Close() }).Stop()
	return conn.Abort(s.ctx) == nil
}
