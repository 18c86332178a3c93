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

// firstID is the lowest message ID of our requests. The library counts from 1. If
// the library ever reaches firstID, no answers are confused: while one of our
// requests is outstanding, no request of the library is.
const firstID = 1 << 30

// maxOwn limits the answer to one of our requests, in octets: a challenge of 64 KiB
// and the rest of the message.
const maxOwn = 128 << 10

// mux is the connection of the library. It shares the real connection with our
// binds: the library reads through the mux, which takes out the answers to our
// requests. The mux decodes headers only, and encodes nothing again.
//
// The library reads all the time, from one goroutine, and our answers depend on
// that goroutine: it must not block. So while a bind holds the library's requests
// back, a Write of the library succeeds at once.
type mux struct {
	net.Conn
	reader *bufio.Reader
	left   int   // octets that the library has not read of the present message
	shape  shape // of the present message

	authenticated atomic.Bool   // a SASL bind has succeeded
	turn          chan struct{} // holds a token while a bind runs
	writing       sync.Mutex    // held while a message is written

	mu          sync.Mutex
	outstanding map[int64]bool // the library's requests without a final answer; true for a persistent search
	idle        chan struct{}  // if not nil, closed when outstanding becomes empty
	holding     bool
	held        [][]byte // the library's messages during holding
	lastID      int64    // the highest message ID of the library
	own         int64    // the message ID of our outstanding request; 0 = none
	librarySASL int64    // the message ID of the library's last SASL bind
	answer      chan frame
	notice      error         // the server's notice of disconnection
	cause       error         // the reason for the end of the connection
	dead        chan struct{} // closed when cause is set
}

// frame is the answer to one of our requests, or the error in its place.
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

// Read is called by the library. An error ends the library's connection.
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

// route reads the header of the next message, and takes the message out if it
// answers one of our requests.
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
	stray := !ours && h.id > m.lastID // an answer without a request
	if ours || awaited && (stray || notice != nil) {
		m.own = 0 // this message is its answer
	}
	if notice != nil {
		m.notice = notice
	}
	libraryBind := h.op == bindResponse && h.id == m.librarySASL
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
			m.answer <- frame{err: fmt.Errorf("%w: the server answered a request that nobody sent", sasl.ErrProtocol)}
		}
		_, err := m.reader.Discard(h.total)
		return err
	case notice != nil && awaited:
		m.answer <- frame{err: notice}
	case libraryBind:
		m.noteBind(h)
	}
	m.left, m.shape = h.total, shape{}
	return nil
}

// notification examines an unsolicited notification (RFC 4511 s4.4), and returns
// the error of a notice of disconnection. The library gets the message too.
func (m *mux) notification(h header) error {
	if h.total > m.reader.Size() {
		return fmt.Errorf("%w: the server sent a notification of %d octets", sasl.ErrProtocol, h.total)
	}
	b, err := m.reader.Peek(h.total)
	if err != nil {
		return nil // the next read returns the error
	}
	return disconnection(frame{header: h, bytes: b})
}

// noteBind records whether a SASL bind of the library has succeeded.
func (m *mux) noteBind(h header) {
	b, err := m.reader.Peek(min(h.total, m.reader.Size()))
	if err != nil {
		return // the next read returns the error
	}
	r, err := decodeResult(frame{header: h, bytes: b}, bindResponse)
	if err == nil && r.code == ldap.LDAPResultSuccess {
		m.authenticated.Store(true)
	}
}

// take passes a message to roundTrip, which waits for it.
func (m *mux) take(h header) error {
	if h.total > maxOwn {
		err := fmt.Errorf("%w: the server sent an answer of %d octets", sasl.ErrProtocol, h.total)
		m.answer <- frame{err: err}
		return err
	}
	b := make([]byte, h.total)
	if _, err := io.ReadFull(m.reader, b); err != nil {
		return err
	}
	m.answer <- frame{header: h, bytes: b}
	return nil
}

// fail records the reason for the end of the connection, the first time. The
// server's notice of disconnection comes before err.
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

// NetConn returns the connection below, so transport.Close reaches it.
func (m *mux) NetConn() net.Conn { return m.Conn }

// Close closes the connection, also for the library.
func (m *mux) Close() error {
	m.fail(net.ErrClosed)
	return m.Conn.Close()
}

// err returns the reason for the end of the connection, with a class; nil = the
// connection has not ended.
func (m *mux) err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cause != nil && sasl.ClassOf(m.cause) == "" {
		return fmt.Errorf("%w: %w", sasl.ErrConnection, m.cause)
	}
	return m.cause
}
