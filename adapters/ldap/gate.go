package saslldap

import (
	"context"
	"fmt"
	"maps"
	"slices"

	sasl "github.com/saslkit/saslkit/core"
)

// Write is the library's, which writes a message at a time. Its own binds get
// the same care as ours, later and elsewhere, because the library must not wait.
func (m *mux) Write(b []byte) (int, error) {
	h, need, err := parseHeader(b)
	if err != nil || need != 0 || h.frame != len(b) {
		return 0, fmt.Errorf("%w: what is written is no LDAP message", sasl.ErrConfig)
	}
	if h.op == bindRequest {
		go m.bindAlone(h, slices.Clone(b))
		return len(b), nil
	}
	m.writing.Lock()
	defer m.writing.Unlock()
	if !m.admit(h, b) {
		return len(b), nil
	}
	return m.Conn.Write(b)
}

// admit reports whether a message may be written now, and keeps it if not.
func (m *mux) admit(h header, b []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.holding {
		m.held = append(m.held, slices.Clone(b))
		return false
	}
	m.register(h, b)
	return true
}

// register notes what a request leaves to be answered.
func (m *mux) register(h header, b []byte) {
	m.lastID = max(m.lastID, h.id)
	m.outstanding[h.id] = h.op == searchRequest && endless(b)
}

// signalIdle wakes who waits for the last outstanding answer.
func (m *mux) signalIdle() {
	if m.idle != nil && len(m.outstanding) == 0 {
		close(m.idle)
		m.idle = nil
	}
}

// bindAlone sends a bind of the library's when nothing else is on its way, and
// holds the rest back until it is answered. A persistent search it ends, as the
// user of the library knows.
func (m *mux) bindAlone(h header, b []byte) {
	ctx := context.Background() // the library closes the connection if it does not want to wait
	if m.takeTurn(ctx) != nil {
		return
	}
	defer m.endTurn()
	m.mu.Lock()
	maps.DeleteFunc(m.outstanding, func(_ int64, persistent bool) bool { return persistent })
	m.mu.Unlock()
	err := m.hold(ctx)
	defer m.release()
	if err != nil {
		return
	}
	m.mu.Lock()
	m.register(h, b)
	if isSASL(b) {
		m.librarySASL = h.id
	}
	m.mu.Unlock()
	if m.write(b) != nil {
		m.Close()
		return
	}
	m.awaitIdle(ctx)
}

// takeTurn waits until no other bind is running.
func (m *mux) takeTurn(ctx context.Context) error {
	select {
	case m.turn <- struct{}{}: // without waiting, whether the context has ended or not
		return nil
	default:
	}
	select {
	case m.turn <- struct{}{}:
		return nil
	case <-m.dead:
		return m.err()
	case <-ctx.Done():
		return fmt.Errorf("%w: waiting for another bind: %w", sasl.ErrConnection, ctx.Err())
	}
}

func (m *mux) endTurn() { <-m.turn }

var errPersistent = fmt.Errorf("%w: a persistent search is running on this connection, which a bind would end: bind before it, or on another connection", sasl.ErrConfig)

// hold keeps the library's requests back and waits for the answers to those
// that are on their way: a bind would abandon them (RFC 4511 s4.2.1).
func (m *mux) hold(ctx context.Context) error {
	m.mu.Lock()
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

// awaitIdle waits until the library's requests are answered.
func (m *mux) awaitIdle(ctx context.Context) error {
	idle := make(chan struct{})
	m.mu.Lock()
	m.idle = idle
	m.signalIdle()
	m.mu.Unlock()
	select {
	case <-idle: // without waiting, as in takeTurn
		return nil
	default:
	}
	select {
	case <-idle:
		return nil
	case <-m.dead:
		return m.err()
	case <-ctx.Done():
		return fmt.Errorf("%w: waiting for answers to earlier requests: %w", sasl.ErrConnection, ctx.Err())
	}
}

// release lets the library's requests go on, those first that were kept back.
func (m *mux) release() {
	m.writing.Lock()
	defer m.writing.Unlock()
	for {
		m.mu.Lock()
		held := m.held
		m.held, m.idle = nil, nil
		for _, b := range held {
			h, _, _ := parseHeader(b)
			m.register(h, b)
		}
		m.holding = len(held) > 0
		m.mu.Unlock()
		if len(held) == 0 {
			return
		}
		for _, b := range held {
			if _, err := m.Conn.Write(b); err != nil {
				m.Close()
				return
			}
		}
	}
}

func (m *mux) write(b []byte) error {
	m.writing.Lock()
	defer m.writing.Unlock()
	_, err := m.Conn.Write(b)
	return err
}

// roundTrip sends a request of our own and returns the answer.
func (m *mux) roundTrip(ctx context.Context, id int64, request []byte) (frame, error) {
	m.mu.Lock()
	m.own = id
	m.mu.Unlock()
	if err := m.write(request); err != nil {
		return frame{}, fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	select {
	case answer := <-m.answer:
		return answer, answer.err
	case <-m.dead:
		// What came before the end counts.
		select {
		case answer := <-m.answer:
			return answer, answer.err
		default:
			return frame{}, m.err()
		}
	case <-ctx.Done():
		return frame{}, fmt.Errorf("%w: %w", sasl.ErrConnection, ctx.Err())
	}
}
