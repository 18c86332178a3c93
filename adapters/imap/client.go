package saslimap

import (
	"net"
	"strings"

	"github.com/emersion/go-imap/v2/imapclient"
)

// Client hands the connection over to an *imapclient.Client in the state that
// was reached: authenticated after Authenticate returned nil, with the
// capabilities that the server told then; not authenticated before; and with
// nothing but a goodbye if the connection was closed. It costs
// no round trip and leaves nothing in the data path. The Conn is of no more
// use, except Close.
//
// Options may be nil. TLSConfig and Dialer have no effect.
func (c *Conn) Client(options *imapclient.Options) *imapclient.Client {
	c.handedOver = true
	greeting := "* OK "
	switch {
	case c.closed.Load():
		greeting = "* BYE "
	case c.authenticated || c.preauth:
		greeting = "* PREAUTH "
	}
	if c.capabilities != nil {
		greeting += "[CAPABILITY " + strings.Join(c.capabilities, " ") + "] "
	}
	greeting += "ready\r\n"
	// What the server has said already without being asked.
	buffered, _ := c.reader.Peek(c.reader.Buffered())
	pending := append([]byte(greeting), buffered...)
	return imapclient.New(&replay{Conn: c.conn, pending: pending}, options)
}

// replay is a connection that is first read from what is pending.
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
