package saslldap

import (
	"fmt"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

const (
	// maxHeld limits the requests that are held back, in octets.
	maxHeld = 4 << 20
	// heldOverhead is what each of them counts for besides its octets.
	heldOverhead = 128
)

var errHeld = fmt.Errorf("%w: requests of more than %d MiB wait for a bind on this connection: send this request again after the bind, or on another connection", sasl.ErrTemporary, maxHeld>>20)

// heldRequest is a message of the library that waits. The library counts a message
// as sent once it waits here, and its time limit begins.
type heldRequest struct {
	bytes   []byte
	since   time.Time
	timeout time.Duration // 0 = none
}

// deadline returns when the library reports to its caller that the request has
// failed. The zero value = never.
func (r heldRequest) deadline() (end time.Time) {
	if r.timeout > 0 {
		end = r.since.Add(r.timeout)
	}
	return end
}

// late reports whether the caller may know already that the request has failed.
func (r heldRequest) late() bool { return r.timeout > 0 && !time.Now().Before(r.deadline()) }

// keep counts a message that waits; an error = there is no room. The caller holds
// m.mu.
func (m *mux) keep(octets int) error {
	if m.waiting+octets+heldOverhead > maxHeld {
		return errHeld
	}
	m.waiting += octets + heldOverhead
	return nil
}

// letPass lets the library's requests pass if none is held back, and reports
// whether that is so.
func (m *mux) letPass() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.held) > 0 {
		return false
	}
	m.holding = false
	return true
}

// release sends the library's requests that were held back, and lets further ones
// pass then. It does not send a request whose caller may know already that it has
// failed.
func (m *mux) release() {
	for {
		next, more := m.nextHeld()
		if !more {
			return
		}
		if err := m.write(next.bytes, next.deadline()); err != nil {
			m.end(fmt.Errorf("%w: the server did not read a request: %w", sasl.ErrConnection, err))
			return
		}
	}
}

// nextHeld takes the next request out that is to be sent; more = false if there is
// none, or the connection has ended.
func (m *mux) nextHeld() (next heldRequest, more bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.held) > 0 && m.cause == nil {
		next, m.held = m.held[0], m.held[1:]
		m.waiting -= len(next.bytes) + heldOverhead
		if next.late() {
			continue
		}
		h, _, _ := parseHeader(next.bytes)
		m.register(h, next.bytes)
		return next, true
	}
	m.held, m.holding = nil, false
	return heldRequest{}, false
}
