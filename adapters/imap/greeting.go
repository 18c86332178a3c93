package saslimap

import (
	"context"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
)

// greet reads the server's greeting (RFC 9051 s7.1.5).
func (c *Conn) greet(context.Context) error {
	resp, err := readResponse(c.reader)
	if err != nil {
		return err
	}
	c.note(resp)
	switch {
	case resp.tag == "*" && resp.status == "OK":
		return nil
	case resp.tag == "*" && resp.status == "PREAUTH":
		c.preauth = true
		return nil
	case resp.tag == "*" && resp.status == "BYE":
		return fmt.Errorf("%w: the server rejects the connection: %s", sasl.ErrConnection, sasl.Printable(resp.text))
	}
	return fmt.Errorf("%w: the server sent an invalid IMAP greeting", sasl.ErrProtocol)
}
