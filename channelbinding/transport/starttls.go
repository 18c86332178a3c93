package transport

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
)

// ErrNoStartTLS is the error of a server that refuses STARTTLS or does not offer
// it. Somebody in between may have removed the offer, so its class is
// ErrSecurity.
var ErrNoStartTLS = fmt.Errorf("%w: the server refuses STARTTLS or does not offer it, or somebody removed the offer", sasl.ErrSecurity)

// NoStartTLS returns an ErrNoStartTLS with the text of the server, "" = none, and
// with the library's error for errors.As, nil = none.
func NoStartTLS(said string, err error) error { return &noStartTLS{said, err} }

type noStartTLS struct {
	said string
	err  error
}

func (e *noStartTLS) Error() string {
	if e.said == "" {
		return ErrNoStartTLS.Error()
	}
	return ErrNoStartTLS.Error() + ": " + sasl.Printable(e.said)
}

// Unwrap puts ErrNoStartTLS first: its class counts.
func (e *noStartTLS) Unwrap() []error {
	if e.err == nil {
		return []error{ErrNoStartTLS}
	}
	return []error{ErrNoStartTLS, e.err}
}

// NothingBehind returns an ErrSecurity if the server's answer to STARTTLS, which
// was the last thing read, has more data behind it: that data would be taken for
// something said under TLS.
func NothingBehind(r *bufio.Reader) error {
	if r.Buffered() > 0 {
		return fmt.Errorf("%w: somebody put more data behind the server's answer to STARTTLS", sasl.ErrSecurity)
	}
	return nil
}

// StartTLSError is HandshakeError for a handshake that follows STARTTLS:
// something else than TLS there is ErrSecurity, because somebody may have put it
// there.
func StartTLSError(err error) error {
	if errors.As(err, new(tls.RecordHeaderError)) {
		return fmt.Errorf("%w: something else than TLS follows the server's answer to STARTTLS: %v", sasl.ErrSecurity, err)
	}
	return HandshakeError(err)
}
