package saslldap

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	sasl "github.com/saslkit/saslkit/core"
)

// firstID is the lowest message ID of our own requests. The library counts from
// 1, and if it ever gets this far nothing is mixed up: while a request of ours
// awaits its answer, none of the library's does.
const firstID = 1 << 30

// maxOwn bounds a message to us, in octets: a challenge of 64 KiB and what is
// around it.
const maxOwn = 128 << 10

// mux is the connection that the library has. It shares the real one with our
// binds: what the library reads passes by here, and answers to our own requests
// are taken out. Nothing is decoded but headers, and nothing encoded anew.
//
// The library reads all the time, from one goroutine, which is what takes our
// answers out; and it must not be kept from that. So while a bind holds its
// requests back, writing them succeeds at once.
type mux struct {
	net.Conn
	reader *bufio.Reader
	left   int   // of the message that the library is reading
	shape  shape // of that

	turn    chan struct{} // holds a token while a bind runs
	writing sync.Mutex    // held while a message is written

	mu          sync.Mutex
	outstanding map[int64]bool // the library's requests that await an answer; true for one without end
	idle        chan struct{}  // if not nil, closed when none of them is left
	holding     bool
	held        [][]byte // the library's messages meanwhile
	lastID      int64    // the highest of the library's
	own         int64    // the ID of our request that awaits an answer; 0 if there is none
	answer      chan frame
	cause       error         // why the connection is of no more use
	dead        chan struct{} // closed with that
}

// frame is a message to us.
type frame struct {
	header
	bytes []byte
	err   error
}

func newMux(conn net.Conn) *mux {
	return &mux{
		Conn: conn, reader: bufio.NewReaderSize(conn, 16<<10),
		turn:        make(chan struct{}, 1),
		outstanding: map[int64]bool{}, answer: make(chan frame, 1), dead: make(chan struct{}),
	}
}

// Read is the library's. An error of it ends the library's connection.
func (m *mux) Read(p []byte) (int, error) {
	for m.left == 0 {
		if err := m.route(); err != nil {
			m.fail(err)
			return 0, err
		}
	}
	n, err := m.reader.Read(p[:min(len(p), m.left)])
	if shapeless := m.shape.pass(p[:n]); shapeless != nil {
		n, err = 0, shapeless
	}
	m.left -= n
	if err != nil {
		m.fail(err)
	}
	return n, err
}

// route looks at the next message, and takes it if it is ours.
func (m *mux) route() error {
	h, err := peekHeader(m.reader)
	if err != nil {
		return err
	}
	m.mu.Lock()
	awaited := m.own != 0
	ours := awaited && h.id == m.own
	stray := !ours && h.id > m.lastID // an answer to what was never sent
	if ours || awaited && (stray || h.id == 0) {
		m.own = 0 // it has its answer now
	}
	if !ours && h.final() {
		delete(m.outstanding, h.id)
		m.signalIdle()
	}
	m.mu.Unlock()
	switch {
	case ours:
		return m.deliver(h, maxOwn, m.take)
	case stray:
		if awaited {
			m.answer <- frame{err: fmt.Errorf("%w: the server answers a request that there was not", sasl.ErrProtocol)}
		}
		_, err := m.reader.Discard(h.frame)
		return err
	case h.id == 0 && awaited: // a notice of disconnection, which concerns both
		err = m.deliver(h, m.reader.Size(), m.peek)
	}
	m.left, m.shape = h.frame, shape{}
	return err
}

// deliver gives a message to who waits for an answer.
func (m *mux) deliver(h header, most int, get func(size int) ([]byte, error)) error {
	if h.frame > most {
		err := fmt.Errorf("%w: the server's answer has %d octets", sasl.ErrProtocol, h.frame)
		m.answer <- frame{err: err}
		return err
	}
	b, err := get(h.frame)
	if err == nil {
		m.answer <- frame{header: h, bytes: b}
	}
	return err
}

func (m *mux) take(size int) ([]byte, error) {
	b := make([]byte, size)
	_, err := io.ReadFull(m.reader, b)
	return b, err
}

func (m *mux) peek(size int) ([]byte, error) {
	b, err := m.reader.Peek(size)
	return slices.Clone(b), err
}

// fail notes why the connection is of no more use, the first time.
func (m *mux) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cause == nil {
		m.cause = err
		close(m.dead)
	}
}

// Close closes the connection, for the library too.
func (m *mux) Close() error {
	m.fail(net.ErrClosed)
	return m.Conn.Close()
}

// failure is why the connection is of no more use, with a class; nil if it is.
func (m *mux) failure() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cause != nil && sasl.ClassOf(m.cause) == "" {
		return fmt.Errorf("%w: %w", sasl.ErrConnection, m.cause)
	}
	return m.cause
}
