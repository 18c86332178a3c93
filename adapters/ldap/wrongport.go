package saslldap

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

const (
	useLDAPS = "if this is the port for TLS from the first octet, use an ldaps URL"
	useLDAP  = "if this is the port for StartTLS, use an ldap URL"

	// wrongPortWait limits the first answer on the port of the other scheme. Some
	// servers wait there for the rest of a supposed message.
	wrongPortWait = 5 * time.Second
)

// wrongPortLimit returns the limit for the first answer, by StepTimeout (negative =
// no timeout), of a connection whose port may be that of the other
// scheme. 0 for the limit = no timeout.
func wrongPortLimit(conn net.Conn, other string, limit time.Duration) time.Duration {
	var port string
	if remote := conn.RemoteAddr(); remote != nil {
		_, port, _ = net.SplitHostPort(remote.String())
	}
	switch {
	case port == other && (limit == 0 || limit > wrongPortWait):
		return wrongPortWait
	case limit == 0:
		return -1
	}
	return limit
}

// firstWords explains an error of reading the first message of a server, over TLS or
// not. The server has not got any secret yet, so its words may be shown.
func firstWords(r *bufio.Reader, err error, overTLS bool) error {
	b, _ := r.Peek(r.Buffered())
	switch {
	case isTLS(b) && !overTLS:
		return &transport.PortError{
			Found: transport.PortTLS, Advice: useLDAPS,
			Err: fmt.Errorf("%w: the server speaks TLS where LDAP was expected", sasl.ErrProtocol),
		}
	case len(b) > 0 && errors.Is(err, errFrame):
		line, _, _ := bytes.Cut(b, []byte("\n"))
		return &transport.PortError{
			Found: transport.PortForeign, Advice: "check the port",
			Err: fmt.Errorf("%w: it begins with %q", err, sasl.Printable(string(line))),
		}
	case isCut(err) && !overTLS:
		return &transport.PortError{
			Found: transport.PortSilent, Advice: useLDAPS,
			Err: fmt.Errorf("%w: the server closed the connection without an answer: %w", sasl.ErrConnection, err),
		}
	}
	return err
}

// isTLS reports whether octets are the start of a TLS record: an alert or a message
// of the handshake, of any version.
func isTLS(b []byte) bool {
	const alert, handshake = 0x15, 0x16
	return len(b) >= 2 && (b[0] == alert || b[0] == handshake) && b[1] == 3
}

// notTLS adds advice to the error of a handshake that follows nothing.
func notTLS(err error) error {
	var step *transport.StepError
	if !errors.As(err, &step) {
		return err
	}
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &record):
		step.Err = &transport.PortError{
			Found: transport.PortClear, Advice: useLDAP,
			Err: fmt.Errorf("%w: the server does not begin with TLS", step.Err),
		}
	case isCut(err), step.Step == transport.TLSHandshake && isLate(err):
		step.Err = &transport.PortError{
			Found: transport.PortSilent, Advice: useLDAP,
			Err: fmt.Errorf("%w: the server did not answer with TLS", step.Err),
		}
	}
	return err
}

// noAnswer adds advice to the error of a StartTLS that had no answer.
func noAnswer(err error) error {
	var step *transport.StepError
	if errors.As(err, &step) && isLate(err) {
		step.Err = &transport.PortError{Found: transport.PortSilent, Advice: useLDAPS, Err: step.Err}
	}
	return err
}

// isLate reports whether a limit or the context ended a wait.
func isLate(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// isCut reports whether the peer closed the connection.
func isCut(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}
