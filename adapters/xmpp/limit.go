package saslxmpp

import (
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Limits on the data of a peer until the session is ready, in octets. The parser
// of the standard library reads an element of any size, and needs up to eighty
// times that size in memory.
const (
	maxNegotiation = 2 << 20   // the sixteen messages of 64 KiB in base64 that an exchange may have, and the rest
	maxAtOnce      = 128 << 10 // the answer to the last element: one of these messages, or the start of a stream
)

// limitedConn is a connection with limits until the session is ready: on the octets
// of the peer, and on the time of an answer.
type limitedConn struct {
	net.Conn
	timeout time.Duration // of an answer; 0 = none
	start   time.Time
	asked   atomic.Int64 // the start of the peer's time, as a time.Duration since start
	total   atomic.Int64 // octets that may still be read
	atOnce  atomic.Int64 // the same, until the next allow
	ready   atomic.Bool
}

// allow gives the peer the octets and the time of an answer. A nil limitedConn has no limits.
func (c *limitedConn) allow() {
	if c != nil {
		c.atOnce.Store(maxAtOnce)
		c.asked.Store(int64(time.Since(c.start)))
	}
}

func (c *limitedConn) Read(p []byte) (int, error) {
	if c.ready.Load() {
		return c.Conn.Read(p)
	}
	total, atOnce := c.total.Load(), c.atOnce.Load()
	switch {
	case total <= 0:
		return 0, fmt.Errorf("%w: the peer sent more than %d MiB before the session was ready", sasl.ErrProtocol, maxNegotiation>>20)
	case atOnce <= 0:
		return 0, fmt.Errorf("%w: the peer sent more than %d KiB in place of one element", sasl.ErrProtocol, maxAtOnce>>10)
	}
	n, err := c.inTime(c.Conn.Read, p[:min(int64(len(p)), total, atOnce)])
	c.total.Add(-int64(n))
	c.atOnce.Add(-int64(n))
	return n, err
}

// Write gives the peer the time of an answer.
func (c *limitedConn) Write(p []byte) (int, error) {
	if c.ready.Load() {
		return c.Conn.Write(p)
	}
	c.asked.Store(int64(time.Since(c.start)))
	return c.inTime(c.Conn.Write, p)
}

// inTime reads or writes, and closes the connection at the end of the peer's time.
func (c *limitedConn) inTime(do func([]byte) (int, error), p []byte) (int, error) {
	if c.timeout == 0 {
		return do(p)
	}
	taken := time.Since(c.start) - time.Duration(c.asked.Load())
	timer := time.AfterFunc(c.timeout-taken, func() { transport.Close(c.Conn) })
	n, err := do(p)
	if !timer.Stop() {
		return 0, fmt.Errorf("%w: the peer did not answer within %s: %w", sasl.ErrConnection, c.timeout, os.ErrDeadlineExceeded)
	}
	return n, err
}

// NetConn returns the connection below.
func (c *limitedConn) NetConn() net.Conn { return c.Conn }

// limit puts limits on a connection, and reads it element by element. The result
// has the state of TLS if there is one.
func limit(conn net.Conn, timeout time.Duration) (*elements, net.Conn) {
	limited := &limitedConn{Conn: conn, timeout: timeout, start: time.Now()}
	limited.total.Store(maxNegotiation)
	limited.allow()
	return elementsOf(limited, limited, conn)
}
