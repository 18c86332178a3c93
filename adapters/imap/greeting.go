package saslimap

import (
	"context"
	"fmt"
	"time"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// greet reads the server's greeting (RFC 9051 s7.1.5).
func (c *Conn) greet(context.Context) error {
	first, err := c.reader.Peek(1)
	if err != nil {
		return transport.ReadError(err)
	}
	c.spoken = true
	if first[0] != '*' {
		return c.foreignGreeting()
	}
	resp, err := readResponse(c.reader)
	if err != nil {
		return err
	}
	c.note(resp)
	switch resp.status {
	case "OK":
		return nil
	case "PREAUTH":
		c.preauth = true
		return nil
	case "BYE":
		return fmt.Errorf("%w: the server rejects the connection: %s", sasl.ErrConnection, sasl.Printable(resp.words()))
	}
	return fmt.Errorf("%w: the server sent an invalid IMAP greeting: %q", sasl.ErrProtocol, sasl.Printable(resp.line))
}

// lastWords is the time that the client waits for more octets of a server whose
// answer is decided already.
const lastWords = time.Second

// foreignGreeting returns the error for a server whose first octet does not begin
// an IMAP greeting. It waits for the rest of the line, but not long.
func (c *Conn) foreignGreeting() error {
	if c.conn.SetReadDeadline(time.Now().Add(lastWords)) != nil {
		return fmt.Errorf("%w: the server does not speak IMAP on this port", sasl.ErrProtocol)
	}
	var line []byte
	for n := 1; n <= c.reader.Size(); n++ {
		var err error
		if line, err = c.reader.Peek(n); err != nil || line[n-1] == '\n' {
			break
		}
		if n == 2 && isTLS(line) {
			return &transport.PortError{
				Found: transport.PortTLS, Advice: "use DialTLS (scheme imaps)",
				Err: fmt.Errorf("%w: the server speaks TLS on this port", sasl.ErrProtocol),
			}
		}
	}
	return &transport.PortError{
		Found: transport.PortForeign, Advice: "check the port",
		Err: fmt.Errorf("%w: the server does not speak IMAP on this port: it sent %q", sasl.ErrProtocol, sasl.Printable(string(line))),
	}
}

// isTLS reports whether octets begin an alert or a handshake message of TLS (RFC
// 8446 s5.1).
func isTLS(first []byte) bool { return (first[0] == 21 || first[0] == 22) && first[1] == 3 }
