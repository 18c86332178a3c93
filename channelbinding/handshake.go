package channelbinding

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	sasl "github.com/saslkit/saslkit/core"
)

// Handshake makes a TLS connection of a client over conn. The config is not
// changed; nil is an empty one. An empty ServerName is host. Errors are
// ErrSecurity if the server's certificate was not accepted, by crypto/tls or by
// a callback of the config, else ErrConnection. It does not close conn.
func Handshake(ctx context.Context, conn net.Conn, host string, config *tls.Config) (*tls.Conn, error) {
	if config == nil {
		config = new(tls.Config)
	}
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	if verify := config.VerifyPeerCertificate; verify != nil {
		config.VerifyPeerCertificate = func(certificates [][]byte, chains [][]*x509.Certificate) error {
			return notAccepted(verify(certificates, chains))
		}
	}
	if verify := config.VerifyConnection; verify != nil {
		config.VerifyConnection = func(state tls.ConnectionState) error { return notAccepted(verify(state)) }
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, HandshakeError(err)
	}
	return secured, nil
}

func notAccepted(err error) error {
	if err == nil || sasl.ClassOf(err) != "" {
		return err
	}
	return fmt.Errorf("%w: %w", sasl.ErrSecurity, err)
}

// HandshakeError gives the error of a client's TLS handshake its class:
// ErrSecurity if crypto/tls did not accept the server's certificate, else
// ErrConnection. One that has a class, because a callback of the tls.Config
// gave it, keeps it.
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

// StartTLSError is HandshakeError for a handshake that follows STARTTLS:
// something else than TLS there is ErrSecurity, because somebody may have put it
// there.
func StartTLSError(err error) error {
	if errors.As(err, new(tls.RecordHeaderError)) {
		return fmt.Errorf("%w: something else than TLS follows the server's answer to STARTTLS: %v", sasl.ErrSecurity, err)
	}
	return HandshakeError(err)
}
