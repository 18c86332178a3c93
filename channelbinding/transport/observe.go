package transport

import (
	"crypto/tls"
	"net"
)

// Observe returns a connection that calls observe with the octets of each Read and
// Write, before the Read returns and after the Write. The result has the state of
// TLS if conn has it. With a nil observe the result is conn.
func Observe(conn net.Conn, observe func(sent bool, octets []byte)) net.Conn {
	if observe == nil {
		return conn
	}
	observed := &observedConn{conn, observe}
	if secured, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		return observedTLS{observed, secured}
	}
	return observed
}

// observedConn is a connection that somebody observes.
type observedConn struct {
	net.Conn
	observe func(sent bool, octets []byte)
}

// Read reads from the connection below.
func (c *observedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.observe(false, p[:n])
	}
	return n, err
}

// Write writes to the connection below.
func (c *observedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if n > 0 {
		c.observe(true, p[:n])
	}
	return n, err
}

// NetConn returns the connection below.
func (c *observedConn) NetConn() net.Conn { return c.Conn }

// observedTLS is an observedConn over a connection with TLS.
type observedTLS struct {
	*observedConn
	secured interface{ ConnectionState() tls.ConnectionState }
}

// ConnectionState returns the state of the connection below.
func (c observedTLS) ConnectionState() tls.ConnectionState { return c.secured.ConnectionState() }
