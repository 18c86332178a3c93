package transport

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// Dialer makes connections. Its fields are the options of that name that every
// adapter has, with one meaning.
type Dialer struct {
	// TLSConfig is for the TLS handshake; nil = an empty one. An empty ServerName
	// becomes the host.
	TLSConfig *tls.Config
	// DialContext makes the connection, for example through a SOCKS proxy; nil = a
	// net.Dialer does.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Address is where the connection goes, host:port, if not to the host that is
	// dialled, which stays the name that is verified. "" = to that host.
	Address string
	// Resolver finds the servers of a domain by their SRV records and, without a
	// DialContext, the addresses of hosts. Nil = net.DefaultResolver.
	Resolver *net.Resolver
	// AcceptHost reports whether the host may serve the domain, although its
	// certificate is only for the host. DialDomain asks it. Nil = no.
	AcceptHost func(ctx context.Context, domain, host string) bool
	// Found is called with each server of a domain before it is tried. Nil = no call.
	Found func(Target)
	// StepTimeout bounds each step. 0 = 30 s each for the dial and the handshake, 5
	// minutes each for the greeting and every answer; negative = no timeout.
	StepTimeout time.Duration
}

// Dial connects to host and port by TCP, or to Address. Errors are a *StepError:
// ErrConfig for an invalid address, else ErrConnection.
func (d Dialer) Dial(ctx context.Context, host, port string) (net.Conn, error) {
	address := d.Address
	if address == "" {
		address = net.JoinHostPort(host, port)
	}
	if _, _, err := splitAddress(address); err != nil {
		return nil, &StepError{Dial, address, err}
	}
	return d.DialNetwork(ctx, "tcp", address)
}

// DialAddress is Dial for an address of the form host:port, and returns the host. An
// invalid address is an ErrConfig, and nothing is dialled then.
func (d Dialer) DialAddress(ctx context.Context, address string) (conn net.Conn, host string, err error) {
	host, port, err := splitAddress(address)
	if err != nil {
		return nil, "", err
	}
	conn, err = d.Dial(ctx, host, port)
	return conn, host, err
}

// DialNetwork connects to an address of a network, as net.Dial has them. The
// option Address has no effect. Errors are a *StepError of class ErrConnection.
func (d Dialer) DialNetwork(ctx context.Context, network, address string) (conn net.Conn, err error) {
	dial := d.DialContext
	if dial == nil {
		dial = (&net.Dialer{Resolver: d.Resolver}).DialContext
	}
	err = Within(ctx, ConnectTimeout(d.StepTimeout), nil, func(ctx context.Context) (err error) {
		conn, err = dial(ctx, network, address)
		return err
	})
	if err != nil {
		if conn != nil { // made when it was too late
			Close(conn)
		}
		return nil, &StepError{Dial, address, err}
	}
	return conn, nil
}

// Secure makes a TLS connection over conn with Handshake, and closes conn if it
// fails. Errors are a *StepError with those of Handshake, or of StartTLSError if
// the handshake follows STARTTLS.
func (d Dialer) Secure(ctx context.Context, conn net.Conn, host, protocol string, afterStartTLS bool) (secured *tls.Conn, err error) {
	err = Run(ctx, TLSHandshake, ConnectTimeout(d.StepTimeout), conn, func(ctx context.Context) (err error) {
		secured, err = Handshake(ctx, conn, host, protocol, d.TLSConfig)
		if afterStartTLS {
			err = StartTLSError(err)
		}
		return err
	})
	if err != nil {
		Close(conn)
		return nil, err
	}
	return secured, nil
}

// Host returns the name that the handshake verifies, which is the ServerName of
// the TLSConfig or else the host.
func (d Dialer) Host(host string) string {
	if d.TLSConfig != nil && d.TLSConfig.ServerName != "" {
		return d.TLSConfig.ServerName
	}
	return host
}

// splitAddress splits an address of the form host:port, both of which it must
// have. The error is an ErrConfig.
func splitAddress(address string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return "", "", fmt.Errorf("%w: the address %q does not have the form host:port", sasl.ErrConfig, address)
	}
	return host, port, nil
}
