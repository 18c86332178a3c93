package saslimap

import (
	"fmt"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// errBye is the error of a server that ends the connection (RFC 9051 s7.1.5).
func errBye(bye response) error {
	return fmt.Errorf("%w: the server ends the connection: %s", sasl.ErrConnection, sasl.Printable(bye.words()))
}

// afterBye reads on after a BYE, but not long. Some servers say BYE first and then
// refuse the command, and the refusal is what the caller has to know.
func (c *Conn) afterBye(tag string, bye response) (response, error) {
	if c.conn.SetReadDeadline(time.Now().Add(lastWords)) != nil {
		return response{}, errBye(bye)
	}
	for range maxUntagged {
		resp, err := readResponse(c.reader)
		if err != nil || resp.tag != "*" && resp.tag != tag {
			break
		}
		c.note(resp)
		switch {
		case resp.tag == "*":
		case resp.status == "NO", resp.status == "BAD":
			resp.ended = errBye(bye)
			return resp, nil
		default:
			return response{}, errBye(bye)
		}
	}
	return response{}, errBye(bye)
}
