package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/emersion/go-imap/v2"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	sasl "github.com/saslkit/saslkit/core"
)

func dialIMAP(ctx context.Context, t *target) (*connection, error) {
	conn, err := openIMAP(ctx, t)
	if err != nil {
		return nil, err
	}
	return &connection{
		info:         conn.ServerInfo(),
		authenticate: conn.Authenticate,
		alerts:       conn.Alerts,
		end: func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			client := conn.Client(nil)
			defer context.AfterFunc(ctx, func() { client.Close() })()
			client.Logout().Wait() // only good manners
			client.Close()
		},
	}, nil
}

// openIMAP connects to a server that proves who it is or, where the caller
// allows for that, to one that does not.
func openIMAP(ctx context.Context, t *target) (*saslimap.Conn, error) {
	dial := saslimap.DialStartTLS
	if t.scheme == "imaps" {
		dial = saslimap.DialTLS
	}
	conn, err := dial(ctx, t.address, &saslimap.Options{TLSConfig: t.tls})
	if !t.insecure {
		return conn, err
	}
	if errors.As(err, new(*tls.CertificateVerificationError)) {
		fmt.Fprintf(os.Stderr, "saslkit: going on without verification: %s\n", sasl.Printable(err.Error()))
		unverified := t.tls.Clone()
		unverified.InsecureSkipVerify = true
		return dial(ctx, t.address, &saslimap.Options{TLSConfig: unverified})
	}
	if errors.Is(err, sasl.ErrSecurity) && errors.As(err, new(*imap.Error)) { // STARTTLS was refused
		fmt.Fprintf(os.Stderr, "saslkit: going on without TLS: %s\n", sasl.Printable(err.Error()))
		var dialer net.Dialer
		raw, err := dialer.DialContext(ctx, "tcp", t.address)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", sasl.ErrConnection, err)
		}
		return saslimap.NewConn(ctx, raw, t.host, nil)
	}
	return conn, err
}
