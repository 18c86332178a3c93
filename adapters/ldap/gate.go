package saslldap

import (
	"context"
	"fmt"
	"maps"
	"slices"

	sasl "github.com/saslkit/saslkit/core"
)

// Write is called by the library, with one message at a time. Binds of the library
// are queued on a goroutine, because blocking here would stall the library.
func (m *mux) Write(b []byte) (int, error) {
	h, need, err := parseHeader(b)
	if err != nil || need != 0 || h.total != len(b) {
		return 0, fmt.Errorf("%w: the library wrote an invalid LDAP message", sasl.ErrConfig)
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

// admit reports whether a message may be written at once. If not, it keeps the
// message for release.
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

// register records that a request awaits its answer.
func (m *mux) register(h header, b []byte) {
	m.lastID = max(m.lastID, h.id)
	m.outstanding[h.id] = h.op == searchRequest && isPersistent(b)
}

// signalIdle wakes the bind that waits for the last outstanding answer.
func (m *mux) signalIdle() {
	if m.idle != nil && len(m.outstanding) == 0 {
		close(m.idle)
		m.idle = nil
	}
}

// bindAlone sends a bind of the library when no other request is outstanding, and
// holds other requests back until the answer. The bind ends a persistent search,
// as it does without the mux.
func (m *mux) bindAlone(h header, b []byte) {
	ctx := context.Background() // the library closes the connection to end the wait
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

func (m *mux) endTurn() { <-m.turn }

var errPersistent = fmt.Errorf("%w: the bind would end the persistent search that runs on this connection: bind before the search, or on another connection", sasl.ErrConfig)

// hold keeps the library's requests back, and waits for the answers to the
// outstanding ones: a bind would abandon them (RFC 4511 s4.2.1).
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

// release sends the library's requests that were held back, and lets further ones
// pass.
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

// roundTrip sends one of our requests and returns the answer.
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
		// An answer that came before the end counts.
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
