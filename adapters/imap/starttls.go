package saslimap

import (
	"context"
	"fmt"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// startTLS gives the command STARTTLS (RFC 9051 s6.2.1). After it the handshake
// follows.
func (c *Conn) startTLS(context.Context) error {
	if c.preauth {
		return transport.NoStartTLS("PREAUTH", nil)
	}
	resp, err := c.command("STARTTLS")
	switch {
	case err != nil:
		return err
	case resp.status == "OK":
		return transport.NothingBehind(c.reader)
	}
	refused := resp.refusal()
	if condition(refused) == sasl.TemporaryAuthFailure {
		refused.Text = sasl.Printable(refused.Text)
		return fmt.Errorf("%w: the server cannot do STARTTLS at the moment; try again later: %w", sasl.ErrTemporary, refused)
	}
	return transport.NoStartTLS(resp.text, refused)
}
