package saslldap

import (
	"context"
	"fmt"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

const (
	// bindWait is how long a bind of the library waits for the answers to earlier
	// requests if SetTimeout has not set another limit.
	bindWait = time.Minute
	// grace is what the library's time limit has more than ours, so that a caller
	// gets our reason.
	grace = 100 * time.Millisecond
)

// SetTimeout sets the time limit of go-ldap's requests. If it passes before a bind
// of go-ldap could be sent, or before the answer to the bind, the connection is
// closed; a bind is not sent after its caller got an error. 0 = no limit: then a
// bind waits for the answers to earlier requests for 60 s, and StepTimeout bounds
// its own answer. SetTimeout of the embedded Conn does not have this effect.
func (c *Client) SetTimeout(limit time.Duration) {
	c.mux.timeout.Store(int64(limit))
	if limit > 0 {
		limit += grace
	}
	c.Conn.SetTimeout(limit)
}

// bindAlone sends a bind of the library when no other request is outstanding, and
// holds other requests back until the answer.
func (m *mux) bindAlone(h header, r heldRequest) {
	defer m.forget(r)
	limit := bindWait
	if r.timeout > 0 {
		limit = r.timeout
	}
	deadline := r.since.Add(limit)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	overdue := fmt.Errorf("%w: a bind could not be sent, because earlier requests on this connection had no answer within %s: make another connection", sasl.ErrConnection, limit)
	if m.takeTurn(ctx) != nil {
		m.end(overdue)
		return
	}
	defer m.endTurn()
	if m.hold(ctx, true) != nil {
		m.end(overdue)
		return
	}
	m.mu.Lock()
	m.register(h, r.bytes)
	if isSASL(r.bytes) {
		m.librarySASL = h.id
	}
	m.mu.Unlock()
	if err := m.write(r.bytes, deadline); err != nil {
		m.end(fmt.Errorf("%w: the server did not read a bind: %w", sasl.ErrConnection, err))
		return
	}
	m.awaitBind(r)
}

// awaitBind waits for the answer to a bind of the library. If the answer is late,
// nobody knows who is authenticated.
func (m *mux) awaitBind(r heldRequest) {
	limit := m.answerLimit
	end := time.Now().Add(limit)
	if r.timeout > 0 {
		limit, end = r.timeout, r.deadline()
	}
	ctx := context.Background()
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end)
		defer cancel()
	}
	if m.awaitIdle(ctx) != nil {
		m.end(fmt.Errorf("%w: a bind on this connection had no answer within %s: make another connection", sasl.ErrConnection, limit))
	}
}

// forget counts a bind of the library that waits no more.
func (m *mux) forget(r heldRequest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting -= len(r.bytes) + heldOverhead
}
