package saslsmtp

import (
	"fmt"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// startTLS gives the command STARTTLS (RFC 3207 s4). After it the handshake
// follows.
func (c *Conn) startTLS() error {
	if !c.startsTLS {
		return transport.NoStartTLS("", nil)
	}
	r, err := c.protocol.roundTrip("STARTTLS")
	if err != nil {
		return err
	}
	refused := r.refusal()
	switch {
	case r.code == 220:
		return transport.NothingBehind(c.protocol.reader)
	case r.code/100 == 4:
		return fmt.Errorf("%w: the server cannot do STARTTLS at the moment; try again later: %w", sasl.ErrTemporary, refused)
	case r.code/100 == 5:
		return transport.NoStartTLS(refused.line(), refused)
	}
	return fmt.Errorf("%w: the server answers %d to STARTTLS", sasl.ErrProtocol, r.code)
}
