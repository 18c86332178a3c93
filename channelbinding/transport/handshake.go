package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	sasl "github.com/saslkit/saslkit/core"
)

// Handshake makes a client's TLS connection over conn. The config is not
// changed; nil is an empty one. An empty ServerName becomes host. If the config
// names no protocol, the connection offers the given one (ALPN, RFC 7301); "" =
// none. Errors are ErrSecurity if crypto/tls or a callback of the config did not
// accept the server's certificate, else ErrConnection. It does not close conn.
func Handshake(ctx context.Context, conn net.Conn, host, protocol string, config *tls.Config) (*tls.Conn, error) {
	if config == nil {
		config = new(tls.Config)
	}
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	if config.NextProtos == nil && protocol != "" {
		config.NextProtos = []string{protocol}
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

// FinishHandshake finishes the handshake of a connection that has one, such as a
// *tls.Conn that nobody has used yet. For another connection it does nothing.
// Errors are those of HandshakeError. It does not close conn.
func FinishHandshake(ctx context.Context, conn net.Conn) error {
	secured, ok := conn.(interface{ HandshakeContext(context.Context) error })
	if !ok {
		return nil
	}
	return HandshakeError(secured.HandshakeContext(ctx))
}

func notAccepted(err error) error {
	if err == nil || sasl.ClassOf(err) != "" {
		return err
	}
	return fmt.Errorf("%w: %w", sasl.ErrSecurity, err)
}

// HandshakeError gives the error of a client's TLS handshake its class:
// ErrSecurity if crypto/tls did not accept the server's certificate, else
// ErrConnection. An error that has a class, because a callback of the tls.Config
// gave it one, keeps it. Nil stays nil.
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
