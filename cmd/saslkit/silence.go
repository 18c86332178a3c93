package main

import (
	"context"
	"net"
	"time"
)

// silence is how long a server may send nothing before the command says so.
const silence = 5 * time.Second

// dialContext makes the connections of the adapters.
func (t *target) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if t.connected != nil {
		t.connected(conn.RemoteAddr().String())
	}
	return listenFor(conn, t.silent), nil
}

// listeningConn calls a func if the peer sends nothing for a time. The connection
// stays as it is, because some servers delay their greeting.
type listeningConn struct {
	net.Conn
	timer *time.Timer
}

func listenFor(conn net.Conn, silent func(address string)) net.Conn {
	if silent == nil {
		return conn
	}
	return &listeningConn{conn, time.AfterFunc(silence, func() { silent(conn.RemoteAddr().String()) })}
}

// Read stops the timer as soon as the peer sends something.
func (c *listeningConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.timer.Stop()
	return n, err
}

// Close stops the timer and closes the connection.
func (c *listeningConn) Close() error {
	c.timer.Stop()
	return c.Conn.Close()
}

// NetConn returns the connection below.
func (c *listeningConn) NetConn() net.Conn { return c.Conn }
