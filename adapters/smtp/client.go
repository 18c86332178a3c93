package saslsmtp

import (
	"net"
	netsmtp "net/smtp"

	"github.com/emersion/go-smtp"
)

// Client hands the connection over to a client of go-smtp, which is authenticated
// after Authenticate returned nil. With its first command the client says EHLO
// itself, which may be repeated at any time (RFC 5321 s4.1.4) and keeps the
// authentication; call its Hello first for another name than localhost.
//
// No timeout of the Conn remains. TLSConnectionState of the client reports false.
// Afterwards only Close of the Conn may be called.
func (c *Conn) Client() *smtp.Client { return smtp.NewClient(c.HandOver()) }

// NetClient is Client for a client of net/smtp.
func (c *Conn) NetClient() *netsmtp.Client {
	client, _ := netsmtp.NewClient(c.HandOver(), c.host) // reads the greeting of HandOver alone
	return client
}

// HandOver returns the connection for the client of another library: first a
// greeting is read from it, and then the octets of the server. The documentation of
// Client holds for it too.
func (c *Conn) HandOver() net.Conn {
	c.handedOver = true
	// The server may have sent something unasked.
	buffered, _ := c.protocol.reader.Peek(c.protocol.reader.Buffered())
	return &replay{Conn: c.conn, pending: append([]byte("220 ready\r\n"), buffered...)}
}

// replay is a connection from which pending octets are read first.
type replay struct {
	net.Conn
	pending []byte
}

func (r *replay) Read(b []byte) (int, error) {
	if len(r.pending) == 0 {
		return r.Conn.Read(b)
	}
	n := copy(b, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}
