package saslldap

import (
	"context"
	"fmt"
	"io"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// The bounds of the answer to one of our requests. A decoded element takes some
// hundred octets of memory, and each level of nesting another copy of its content.
const (
	maxOwn         = 128 << 10 // octets: a challenge of 64 KiB and the rest of the message
	maxOwnMessages = 4         // the root DSE is one entry; behind it comes the result
	maxOwnElements = 4096
	maxOwnDepth    = 10 // the value of an attribute is at 6
)

// ownRequest is a request of ours that is outstanding.
type ownRequest struct {
	id     int64
	search bool // entries come before the result; false = a bind
	size   int  // octets of the answer so far
	frames []frame
	answer chan answer

	notices int // notifications in the meantime
}

func newOwnRequest(id int64, search bool) *ownRequest {
	return &ownRequest{id: id, search: search, answer: make(chan answer, 1)}
}

// frame is a message of the answer to one of our requests.
type frame struct {
	header
	bytes []byte
}

// answer is the answer to one of our requests, or the error in its place.
type answer struct {
	frames []frame
	err    error
}

// deliver ends our outstanding request, if there is one. The caller holds m.mu.
func (m *mux) deliver(a answer) {
	if m.own != nil {
		m.own.answer <- a
		m.own = nil
	}
}

// take collects the answer to our request, and passes it to roundTrip.
func (m *mux) take(h header, own *ownRequest) error {
	var a answer
	own.size += h.total
	switch {
	case own.size > maxOwn:
		a.err = fmt.Errorf("%w: the server sent an answer of more than %d KiB", sasl.ErrProtocol, maxOwn>>10)
	case len(own.frames) == maxOwnMessages:
		a.err = fmt.Errorf("%w: the server sent an answer of more than %d messages", sasl.ErrProtocol, maxOwnMessages)
	default:
		b := make([]byte, h.total)
		if _, err := io.ReadFull(m.reader, b); err != nil {
			return err
		}
		own.frames = append(own.frames, frame{header: h, bytes: b})
		if own.search && (h.op == searchEntry || h.op == searchReference) {
			return nil
		}
		a.frames = own.frames
	}
	m.mu.Lock()
	m.deliver(a)
	m.mu.Unlock()
	if a.err == nil && !own.search {
		return m.awaitOutcome()
	}
	return a.err
}

// roundTrip sends one of our requests and returns the answer. After the answer to a
// bind the reader waits for resume.
func (m *mux) roundTrip(ctx context.Context, own *ownRequest, request []byte) ([]frame, error) {
	m.mu.Lock()
	ended := m.cause
	m.own = own
	m.mu.Unlock()
	switch {
	case ended != nil:
		return nil, ended
	case ctx.Err() != nil: // nothing is sent for a caller that has gone
		return nil, fmt.Errorf("%w: %w", sasl.ErrConnection, ctx.Err())
	}
	if err := m.write(request, time.Time{}); err != nil {
		m.awaitEnd(ctx)
		return nil, m.fail(err)
	}
	select {
	case a := <-own.answer:
		return a.frames, a.err
	case <-m.dead:
		// An answer that came before the end counts.
		select {
		case a := <-own.answer:
			return a.frames, a.err
		default:
			return nil, m.err()
		}
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", sasl.ErrConnection, ctx.Err())
	}
}

// awaitEnd gives the library's goroutine, which reads, time to come to the end of the
// connection: a notice of disconnection says more than an error of writing.
func (m *mux) awaitEnd(ctx context.Context) {
	late := time.NewTimer(noticeWait)
	defer late.Stop()
	select {
	case <-m.dead:
	case <-ctx.Done():
	case <-late.C:
	}
}

// noticeWait is less than the time in which an operation has to obey its context.
const noticeWait = 50 * time.Millisecond
