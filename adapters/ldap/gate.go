package saslldap

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// Write is called by the library, with one message at a time. Binds of the library
// are queued on a goroutine, because blocking here would stall the library. An
// error is the error of the request, in the library's words and ours.
func (m *mux) Write(b []byte) (int, error) {
	h, need, err := parseHeader(b)
	if err != nil || need != 0 || h.total != len(b) {
		return 0, fmt.Errorf("%w: the library wrote an invalid LDAP message", sasl.ErrConfig)
	}
	if ended := m.err(); ended != nil {
		return 0, ended
	}
	passes, err := m.admit(h, b)
	if err == nil && passes {
		err = m.write(b, time.Time{})
	}
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

// admit reports whether a message may be written at once. If not, it keeps a copy
// for later. An error refuses the message.
func (m *mux) admit(h header, b []byte) (passes bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h.op == unbindRequest { // it has no answer, and the library closes the connection behind it
		return true, nil
	}
	if h.op != bindRequest && !m.holding {
		m.register(h, b)
		return true, nil
	}
	if err := m.keep(len(b)); err != nil {
		return false, err
	}
	request := heldRequest{bytes: slices.Clone(b), since: time.Now(), timeout: time.Duration(m.timeout.Load())}
	if h.op == bindRequest {
		if password, ok := simplePassword(b); ok {
			m.addScreen(sasl.NewSecret(password).RepeatedIn)
		}
		go m.bindAlone(h, request)
	} else {
		m.held = append(m.held, request)
	}
	return false, nil
}

// register records that a request awaits its answer. The caller holds m.mu.
func (m *mux) register(h header, b []byte) {
	m.lastID = max(m.lastID, h.id)
	m.outstanding[h.id] = h.op == searchRequest && isPersistent(b)
}

// signalIdle wakes the bind that waits for the last outstanding answer. The caller
// holds m.mu.
func (m *mux) signalIdle() {
	if m.idle != nil && len(m.outstanding) == 0 {
		close(m.idle)
		m.idle = nil
	}
}

// takeTurn waits until no other bind is running.
func (m *mux) takeTurn(ctx context.Context) error {
	select {
	case m.turn <- struct{}{}: // a free turn counts, also after the end of the context
		return nil
	default:
	}
	select {
	case m.turn <- struct{}{}:
		return nil
	case <-m.dead:
		return m.err()
	case <-ctx.Done():
		return fmt.Errorf("%w: another bind is running on this connection: %w", sasl.ErrConnection, ctx.Err())
	}
}

// endTurn lets the library's requests pass and gives the turn away. It does not wait
// for a server that does not read what was held back: until then the turn is not
// free.
func (m *mux) endTurn() {
	if m.letPass() {
		<-m.turn
		return
	}
	go func() {
		m.release()
		<-m.turn
	}()
}

var errPersistent = fmt.Errorf("%w: the bind would end the persistent search that runs on this connection: bind before the search, or on another connection", sasl.ErrConfig)

// hold keeps the library's requests back, and waits for the answers to the
// outstanding ones: a bind would abandon them (RFC 4511 s4.2.1). A bind of the
// library ends a persistent search, as it does without the mux.
func (m *mux) hold(ctx context.Context, endPersistent bool) error {
	m.mu.Lock()
	if endPersistent {
		maps.DeleteFunc(m.outstanding, func(_ int64, persistent bool) bool { return persistent })
	}
	for _, persistent := range m.outstanding {
		if persistent {
			m.mu.Unlock()
			return errPersistent
		}
	}
	m.holding = true
	m.mu.Unlock()
	return m.awaitIdle(ctx)
}

// awaitIdle waits for the answers to the library's requests.
func (m *mux) awaitIdle(ctx context.Context) error {
	idle := make(chan struct{})
	m.mu.Lock()
	m.idle = idle
	m.signalIdle()
	m.mu.Unlock()
	select {
	case <-idle: // this counts, also after the end of the context
		return nil
	default:
	}
	select {
	case <-idle:
		return nil
	case <-m.dead:
		return m.err()
	case <-ctx.Done():
		return fmt.Errorf("%w: earlier requests have no answer yet: %w", sasl.ErrConnection, ctx.Err())
	}
}

// write writes a message until the deadline; the zero value = none. A message that
// was not written in full leaves the connection out of step.
func (m *mux) write(b []byte, deadline time.Time) error {
	m.writing.Lock()
	defer m.writing.Unlock()
	if !deadline.IsZero() {
		m.Conn.SetWriteDeadline(deadline)
		defer m.Conn.SetWriteDeadline(time.Time{})
	}
	if m.outgoing != nil {
		return m.writeProtected(b)
	}
	_, err := m.Conn.Write(b)
	return err
}
