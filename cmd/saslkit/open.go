package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// openTarget connects to a server that proves its identity. If the flags allow
// for a server without such a proof, openTarget connects to that server too.
// open gets a nil config for a connection without TLS.
func openTarget[T any](t *target, open func(config *tls.Config) (T, error)) (T, error) {
	if t.noStartTLS {
		return open(nil)
	}
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
	case errors.Is(err, transport.ErrNoStartTLS):
		fmt.Fprintf(os.Stderr, "saslkit: going on without TLS: %s\n", sasl.Printable(err.Error()))
		return open(nil)
	}
	return conn, err
}
