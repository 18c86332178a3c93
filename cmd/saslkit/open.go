package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// errNoTLS is what a protocol's way of opening a connection returns where the
// server has no TLS, or somebody took it away.
var errNoTLS = fmt.Errorf("%w: the server does not offer STARTTLS, or somebody took it away", sasl.ErrSecurity)

// openTarget connects to a server that proves who it is or, where the flags
// allow for that, to one that does not. A nil config is a connection without
// TLS.
func openTarget[T any](t *target, open func(config *tls.Config) (T, error)) (T, error) {
	conn, err := open(t.tls)
	if !t.insecure {
		return conn, err
	}
	switch {
	case errors.As(err, new(*tls.CertificateVerificationError)):
		fmt.Fprintf(os.Stderr, "saslkit: going on without verification: %s\n", sasl.Printable(err.Error()))
		unverified := t.tls.Clone()
		unverified.InsecureSkipVerify = true
		return open(unverified)
	case errors.Is(err, errNoTLS), errors.Is(err, transport.ErrNoStartTLS):
		fmt.Fprintf(os.Stderr, "saslkit: going on without TLS: %s\n", sasl.Printable(err.Error()))
		return open(nil)
	}
	return conn, err
}
