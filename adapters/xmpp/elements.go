package saslxmpp

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// elements is a connection of which a parser reads a stream an element at a time,
// until the session is ready. So no octet gets lost in the buffer of a parser when
// the next feature replaces the parser: the outcome does not depend on how the
// octets of the peer are cut into reads.
type elements struct {
	net.Conn
	limited *limitedConn
	markup  markup
	buffer  []byte
	rest    []byte // of the buffer: not delivered
	err     error  // of the markup
}

// Read delivers octets up to the end of an element.
func (c *elements) Read(p []byte) (int, error) {
	for {
		switch {
		case c.err != nil:
			return 0, c.err
		case len(c.rest) > 0 && c.transparent():
			n := copy(p, c.rest)
			c.rest = c.rest[n:]
			return n, nil
		case len(c.rest) > 0:
			if n := c.deliver(p); n > 0 || len(p) == 0 {
				return n, nil
			}
		case c.transparent():
			c.buffer = nil
			return c.Conn.Read(p)
		default:
			if c.buffer == nil {
				c.buffer = make([]byte, 4<<10)
			}
			n, err := c.Conn.Read(c.buffer)
			if c.rest = c.buffer[:n]; n == 0 {
				return 0, err
			}
		}
	}
}

// transparent reports whether octets are delivered as they come.
func (c *elements) transparent() bool { return c.markup.binary || c.limited.ready.Load() }

// deliver delivers octets until other data than XML begins.
func (c *elements) deliver(p []byte) (n int) {
	for len(c.rest) > 0 && n < len(p) {
		keep, ends, err := c.markup.next(c.rest[0])
		if err == errForeign {
			err = c.foreign()
		}
		switch {
		case err != nil: // the next read returns it
			c.err = err
			return n
		case c.markup.binary: // from this octet on
			return n
		case keep:
			p[n] = c.rest[0]
			n++
		}
		if c.rest = c.rest[1:]; ends {
			break
		}
	}
	return n
}

// restart begins with the next stream.
func (c *elements) restart() { c.markup = markup{} }

// lineWait is the wait for the rest of a line that is not XMPP. A greeting of
// another protocol mostly comes at once.
const lineWait = 500 * time.Millisecond

// foreign returns the error of a peer that speaks another protocol, with the line
// that the peer sent.
func (c *elements) foreign() error {
	const maxLine = 512 // of which sasl.Printable shows that it is cut off
	line := bytes.Clone(c.rest)
	if isTLS(line[0]) {
		return &transport.PortError{
			Found: transport.PortTLS, Advice: "connect with direct TLS, or check the port",
			Err: fmt.Errorf("%w: it speaks TLS from the first octet", errForeign),
		}
	}
	c.Conn.SetReadDeadline(time.Now().Add(lineWait))
	for len(line) <= maxLine && bytes.IndexByte(line, '\n') < 0 {
		more := make([]byte, maxLine)
		n, err := c.Conn.Read(more)
		if line = append(line, more[:n]...); err != nil {
			break
		}
	}
	return &transport.PortError{
		Found: transport.PortForeign, Advice: "check the port",
		Err: fmt.Errorf("%w: it sent %s", errForeign, quoted(line[:min(len(line), maxLine+1)])),
	}
}

// quoted returns the first line in a form for people.
func quoted(text []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimLeft(text, xmlSpace), []byte("\n"))
	if shown := sasl.Printable(string(line)); shown != "" {
		return fmt.Sprintf("%q", shown)
	}
	return "no text"
}

// isTLS reports whether an octet begins a record of TLS (RFC 8446 s5.1): the alert or
// the handshake message of a peer.
func isTLS(first byte) bool { return first == 0x15 || first == 0x16 }

// NetConn returns the connection below.
func (c *elements) NetConn() net.Conn { return c.Conn }

// elementsTLS is elements over a connection with TLS, whose state it returns.
type elementsTLS struct {
	*elements
	tls interface{ ConnectionState() tls.ConnectionState }
}

func (c elementsTLS) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

// elementsOf puts elements on a connection. The state of TLS is that of secured, if
// it has one.
func elementsOf(conn net.Conn, limited *limitedConn, secured net.Conn) (*elements, net.Conn) {
	c := &elements{Conn: conn, limited: limited}
	if secured, ok := secured.(interface{ ConnectionState() tls.ConnectionState }); ok {
		return c, elementsTLS{c, secured}
	}
	return c, c
}

// restarted returns the connection for the stream that follows a feature, of which rw
// is the result: nil if the stream goes on.
func (c *elements) restarted(rw io.ReadWriter) (*elements, io.ReadWriter) {
	switch conn := rw.(type) {
	case interface{ restart() }:
		conn.restart()
	case net.Conn:
		return elementsOf(conn, c.limited, conn)
	}
	return c, rw
}

// recorder remembers the first octets of a peer.
type recorder struct {
	net.Conn
	first []byte
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	if len(r.first) == 0 {
		r.first = bytes.Clone(p[:n])
	}
	return n, err
}

// hungUp reports whether a peer has closed the connection, in a clean way or by a reset.
func hungUp(err error) bool {
	var failed *net.OpError
	reset := errors.As(err, &failed) && failed.Op == "read" && !failed.Timeout() && !errors.Is(err, net.ErrClosed)
	return reset || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// NetConn returns the connection below.
func (r *recorder) NetConn() net.Conn { return r.Conn }

// withoutTLS adds to an error of a handshake what the peer sent in place of TLS. The
// first octets are those of a recorder, if there was one.
func withoutTLS(err error, first []byte) error {
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &record) && len(first) == 0:
		first = record.RecordHeader[:]
	case len(first) == 0 && hungUp(err):
		return &transport.PortError{
			Found: transport.PortSilent, Advice: "if the port is for STARTTLS, connect with STARTTLS",
			Err: fmt.Errorf("%w: the server closed the connection without an answer", err),
		}
	case !errors.As(err, &record):
		return err
	}
	found := transport.PortForeign
	if bytes.HasPrefix(bytes.TrimLeft(first, xmlSpace), []byte("<")) {
		found = transport.PortClear
	}
	return &transport.PortError{
		Found: found, Advice: "connect with STARTTLS, or check the port",
		Err: fmt.Errorf("%w: the peer sent %s", err, quoted(first)),
	}
}
