package saslxmpp

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"

	sasl "github.com/saslkit/saslkit/core"
)

// Bounds on what a peer may send until the session is ready, in octets. The
// parser of the standard library takes in an element of any size, and needs up to
// eighty times its size for it.
const (
	maxNegotiation = 2 << 20   // the sixteen messages of 64 KiB in base64 that an exchange may have, and the rest
	maxAtOnce      = 128 << 10 // in answer to what was said last: one of these, or a stream's beginning
)

// boundedConn is a connection from which no more can be read than that, as long
// as the session is not ready, and nothing that does not begin as XML: the
// parser would wait for the end of a text that another protocol's greeting is.
type boundedConn struct {
	net.Conn
	total  atomic.Int64
	atOnce atomic.Int64
	ready  atomic.Bool
	begun  bool // XML was seen
}

// allow lets the peer answer. A nil boundedConn has no bounds.
func (c *boundedConn) allow() {
	if c != nil {
		c.atOnce.Store(maxAtOnce)
	}
}

func (c *boundedConn) Read(p []byte) (int, error) {
	if c.ready.Load() {
		return c.Conn.Read(p)
	}
	total, atOnce := c.total.Load(), c.atOnce.Load()
	switch {
	case total <= 0:
		return 0, fmt.Errorf("%w: the peer sent more than %d MiB before the session was ready", sasl.ErrProtocol, maxNegotiation>>20)
	case atOnce <= 0:
		return 0, fmt.Errorf("%w: the peer sent more than %d KiB where one element is due", sasl.ErrProtocol, maxAtOnce>>10)
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), total, atOnce)])
	c.total.Add(-int64(n))
	c.atOnce.Add(-int64(n))
	if text := bytes.TrimLeft(p[:n], xmlSpace); !c.begun && len(text) > 0 {
		if c.begun = text[0] == '<'; !c.begun {
			return 0, fmt.Errorf("%w: the peer does not speak XMPP", sasl.ErrProtocol)
		}
	}
	return n, err
}

// NetConn returns the connection below.
func (c *boundedConn) NetConn() net.Conn { return c.Conn }

// boundedTLS is a boundedConn that tells of the TLS of the one below.
type boundedTLS struct {
	*boundedConn
	tls interface{ ConnectionState() tls.ConnectionState }
}

func (c boundedTLS) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

// bound puts a boundedConn on a connection. The second result is the same, or
// with what it has to tell of TLS.
func bound(conn net.Conn) (*boundedConn, net.Conn) {
	bounded := &boundedConn{Conn: conn}
	bounded.total.Store(maxNegotiation)
	bounded.allow()
	if secured, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		return bounded, boundedTLS{bounded, secured}
	}
	return bounded, bounded
}
