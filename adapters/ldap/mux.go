package saslldap

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/go-ldap/ldap/v3"

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

	authenticated atomic.Bool   // a SASL bind has succeeded
	turn          chan struct{} // holds a token while a bind runs
	writing       sync.Mutex    // held while a message is written

	mu          sync.Mutex
	outstanding map[int64]bool // the library's requests that await an answer; true for one without end
	idle        chan struct{}  // if not nil, closed when none of them is left
	holding     bool
	held        [][]byte // the library's messages meanwhile
	lastID      int64    // the highest of the library's
	own         int64    // the ID of our request that awaits an answer; 0 if there is none
	librarySASL int64    // the ID of the library's last SASL bind
	answer      chan frame
	notice      error         // that the server ends the connection, as it says
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
	var notice error
	if h.id == 0 {
		notice = m.notification(h)
	}
	m.mu.Lock()
	awaited := m.own != 0
	ours := awaited && h.id == m.own
	stray := !ours && h.id > m.lastID // an answer to what was never sent
	if ours || awaited && (stray || notice != nil) {
		m.own = 0 // it has its answer now
	}
	if notice != nil {
		m.notice = notice
	}
	librarys := h.op == bindResponse && h.id == m.librarySASL
	if !ours && h.final() {
		delete(m.outstanding, h.id)
		m.signalIdle()
	}
	m.mu.Unlock()
	switch {
	case ours:
		return m.take(h)
	case stray:
		if awaited {
			m.answer <- frame{err: fmt.Errorf("%w: the server answers a request that there was not", sasl.ErrProtocol)}
		}
		_, err := m.reader.Discard(h.frame)
		return err
	case notice != nil && awaited:
		m.answer <- frame{err: notice}
	case librarys:
		m.hearBind(h)
	}
	m.left, m.shape = h.frame, shape{}
	return nil
}

// notification looks at a message that answers no request (RFC 4511 s4.4), which
// the library gets too, and returns the error of one that ends the connection.
func (m *mux) notification(h header) error {
	if h.frame > m.reader.Size() {
		return fmt.Errorf("%w: the server sent a notification of %d octets", sasl.ErrProtocol, h.frame)
	}
	b, err := m.reader.Peek(h.frame)
	if err != nil {
		return nil // who reads on will see
	}
	return disconnection(frame{header: h, bytes: b})
}

// hearBind looks at what a SASL bind of the library's came to.
func (m *mux) hearBind(h header) {
	b, err := m.reader.Peek(min(h.frame, m.reader.Size()))
	if err != nil {
		return // who reads on will see
	}
	r, err := decodeResult(frame{header: h, bytes: b}, bindResponse)
	if err == nil && r.code == ldap.LDAPResultSuccess {
		m.authenticated.Store(true)
	}
}

// take gives a message to who waits for it.
func (m *mux) take(h header) error {
	if h.frame > maxOwn {
		err := fmt.Errorf("%w: the server's answer has %d octets", sasl.ErrProtocol, h.frame)
		m.answer <- frame{err: err}
		return err
	}
	b := make([]byte, h.frame)
	if _, err := io.ReadFull(m.reader, b); err != nil {
		return err
	}
	m.answer <- frame{header: h, bytes: b}
	return nil
}

// fail notes why the connection is of no more use, the first time. What the
// server said about it comes before what became of it.
func (m *mux) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cause == nil {
		m.cause = err
		if m.notice != nil {
			m.cause = m.notice
		}
		close(m.dead)
	}
}

// NetConn returns the connection that the mux shares.
func (m *mux) NetConn() net.Conn { return m.Conn }

// Close closes the connection, for the library too.
func (m *mux) Close() error {
	m.fail(net.ErrClosed)
	return m.Conn.Close()
}

// err is why the connection is of no more use, with a class; nil if it is.
func (m *mux) err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cause != nil && sasl.ClassOf(m.cause) == "" {
		return fmt.Errorf("%w: %w", sasl.ErrConnection, m.cause)
	}
	return m.cause
}
