package saslimap

import (
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// silent adds to the error of a greeting that never began, on a connection without
// TLS, that the port may be for TLS: such a server waits for the client, and closes
// the connection when it has waited enough.
func (c *Conn) silent(err error) error {
	var step *transport.StepError
	if _, ok := c.conn.(interface{ ConnectionState() tls.ConnectionState }); ok || c.spoken || !errors.As(err, &step) {
		return err
	}
	step.Err = &transport.PortError{
		Found: transport.PortSilent, Advice: "if this port is for TLS, use DialTLS (scheme imaps)",
		Err: fmt.Errorf("%w; the server sent no greeting", step.Err),
	}
	return err
}

// withoutTLS replaces the reason of a handshake that failed because the server
// does not speak TLS. The first octets show what the server speaks instead.
func withoutTLS(err error) error {
	var step *transport.StepError
	var foreign tls.RecordHeaderError
	if !errors.As(err, &step) || !errors.As(err, &foreign) || errors.Is(err, sasl.ErrSecurity) {
		return err
	}
	first := string(foreign.RecordHeader[:])
	found, advice := transport.PortForeign, "check the port"
	if first[:2] == "* " {
		found, advice = transport.PortClear, "use DialStartTLS (scheme imap)"
	}
	step.Err = &transport.PortError{
		Found: found, Advice: advice,
		Err: fmt.Errorf("%w: the server does not speak TLS on this port: it sent %q: %w", sasl.ErrConnection, sasl.Printable(first), foreign),
	}
	return err
}
