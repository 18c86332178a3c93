package saslldap

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
)

// firstID is the lowest message ID of our requests. The library counts from 1, and
// does not get there in the lifetime of a connection.
const firstID = 1 << 30

// mux is the connection of the library. It shares the real connection with our
// requests: the library reads through the mux, which takes out the answers to our
// requests, and everything that the library does not wait for. The mux decodes
// headers only, and encodes nothing again.
//
// The library reads all the time, from one goroutine, and our answers depend on
// that goroutine: it must not block. So while a bind holds the library's requests
// back, a Write of the library succeeds at once.
type mux struct {
	net.Conn
	reader *bufio.Reader
	left   int   // octets that the library has not read of the present message
	shape  shape // of the present message
	heard  bool  // the server has sent an LDAP message

	authenticated atomic.Bool   // a SASL bind has succeeded
	timeout       atomic.Int64  // of the library's requests, a time.Duration; 0 = none
	answerLimit   time.Duration // for the answer to a bind of the library; 0 = none
	turn          chan struct{} // holds a token while a bind runs
	writing       sync.Mutex    // held while a message is written
	outgoing      sasl.Layer    // protects what is written; nil = no layer
	incoming      *layerReader  // below reader; nil = no layer
	resumed       chan struct{} // lets the reader go on behind an answer to a bind of ours

	mu          sync.Mutex
	outstanding map[int64]bool // the library's requests without a final answer; true for a persistent search
	idle        chan struct{}  // if not nil, closed when outstanding becomes empty
	holding     bool
	held        []heldRequest // the library's messages during holding
	waiting     int           // octets of held, and of the library's binds that wait
	lastID      int64         // the highest message ID of the library
	own         *ownRequest   // our outstanding request; nil = none
	librarySASL int64         // the message ID of the library's last SASL bind
	screens     []*screen     // the secrets that were sent
	notice      error         // the server's notice of disconnection
	cause       error         // the reason for the end of the connection; it has a class
	dead        chan struct{} // closed when cause is set
}

func newMux(conn net.Conn) *mux {
	return &mux{
		Conn: conn, reader: bufio.NewReaderSize(conn, 16<<10),
		turn: make(chan struct{}, 1), resumed: make(chan struct{}, 1),
		outstanding: map[int64]bool{}, dead: make(chan struct{}),
	}
}

// Read is called by the library. An error ends the library's connection, and the
// library puts its text into the errors of the requests that wait.
func (m *mux) Read(p []byte) (int, error) {
	for m.left == 0 {
		if err := m.route(); err != nil {
			return 0, m.fail(err)
		}
	}
	n, err := m.reader.Read(p[:min(len(p), m.left)])
	if shapeless := m.shape.pass(p[:n]); shapeless != nil {
		n, err = 0, shapeless
	}
	m.left -= n
	if err != nil {
		err = m.fail(err)
	}
	return n, err
}

// route reads the header of the next message, and takes the message out unless the
// library waits for it.
func (m *mux) route() error {
	h, err := peekHeader(m.reader)
	if err != nil && !m.heard {
		_, overTLS := m.Conn.(interface{ ConnectionState() tls.ConnectionState })
		return firstWords(m.reader, err, overTLS)
	}
	if err != nil {
		return err
	}
	m.heard = true
	to, own := m.addressee(h)
	switch to {
	case us:
		return m.take(h, own)
	case nobody:
		_, err := m.reader.Discard(h.total)
		return err
	case libraryBind:
		m.noteBind(h)
	}
	m.left, m.shape = h.total, shape{}
	return nil
}

// addressee is the receiver of a message.
type addressee int

const (
	nobody addressee = iota
	us
	library
	libraryBind // the library, which may be authenticated now
)

// addressee decides who gets a message. An answer to a request that nobody sent ends
// our request: the server is out of step.
func (m *mux) addressee(h header) (addressee, *ownRequest) {
	if h.id == 0 {
		return m.notification(h), nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.own != nil && m.own.id == h.id {
		return us, m.own
	}
	if _, theirs := m.outstanding[h.id]; !theirs {
		if h.id > m.lastID {
			m.deliver(answer{err: errStray})
		}
		return nobody, nil
	}
	to := library
	if h.op == bindResponse && h.id == m.librarySASL {
		to = libraryBind
	}
	if h.final() {
		delete(m.outstanding, h.id)
		m.signalIdle()
	}
	return to, nil
}

var errStray = fmt.Errorf("%w: the server answered a request that nobody sent", sasl.ErrProtocol)

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
