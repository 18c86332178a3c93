package saslimap

import (
	"net"
	"strings"

	"github.com/emersion/go-imap/v2/imapclient"
)

// Client hands the connection over to an *imapclient.Client in the state of the
// Conn: authenticated after Authenticate returned nil, with the capabilities of
// the server's answer; not authenticated before; and with the greeting BYE if the
// connection is closed. The hand-over costs no round trip, and no timeout of the
// Conn remains. Afterwards only Close of the Conn may be called.
//
// Options may be nil. Their TLSConfig and Dialer have no effect.
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
	// The server may have sent something unasked.
	buffered, _ := c.reader.Peek(c.reader.Buffered())
	pending := append([]byte(greeting), buffered...)
	return imapclient.New(&replay{Conn: c.conn, pending: pending}, options)
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
