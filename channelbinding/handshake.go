package channelbinding

import (
	"crypto/tls"
	"errors"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
)

// HandshakeError gives the error of a client's TLS handshake its class:
// ErrSecurity if the server's certificate was not accepted, else ErrConnection.
// One that has a class, because a callback of the tls.Config gave it, keeps it.
func HandshakeError(err error) error {
	class := sasl.ErrConnection
	if errors.As(err, new(*tls.CertificateVerificationError)) {
		class = sasl.ErrSecurity
	}
	if err == nil || sasl.ClassOf(err) != "" {
		return err
	}
	return fmt.Errorf("%w: %w", class, err)
}
