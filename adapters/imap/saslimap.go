// Package saslimap authenticates IMAP connections (RFC 9051, RFC 3501) with
// any mechanism of package sasl, and hands them over to clients of
// github.com/emersion/go-imap/v2:
//
//	conn, err := saslimap.DialTLS(ctx, "mail.example.org:993", nil)
//	if err != nil { … }
//	if _, err := conn.Authenticate(ctx, auth); err != nil { … }
//	client := conn.Client(nil) // an *imapclient.Client, already authenticated
//
// [DialDomain] finds the server of an address by the SRV records of its domain. The
// function [Authenticate] is for a client that exists already. It can do less,
// because the library's hook allows only mechanisms that are a single message.
// [ServerAuth] is for a server on imapserver.
package saslimap

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Options are for the functions that make a Conn. Nil is the zero value.
type Options struct {
	// TLSConfig is for the TLS handshake; nil = an empty one. An empty ServerName
	// becomes the host, which is the name that is verified.
	TLSConfig *tls.Config
	// DialContext makes the connection, for example through a SOCKS proxy. Nil = a
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
	Found func(transport.Target)
	// Secure asserts that the connection is confidential and its peer the host,
	// although crypto/tls did not verify it: for pinned certificates and DANE.
	Secure bool
	// EnforcesBinding asserts that the server refuses a login with a wrong channel
	// binding or without one; see sasl.ServerInfo.
	EnforcesBinding bool
	// LoginCommand lists LoginCommandName among the server's mechanisms, unless the
	// server lists LOGINDISABLED: a Client with the mechanism of LoginCommand may then
	// log in with IMAP's LOGIN command.
	LoginCommand bool
	// StepTimeout bounds each step. 0 = 30 s each for the dial and the handshake, 5
	// minutes each for the greeting and every answer; negative = no timeout.
	StepTimeout time.Duration
	// Observe is called with the octets that the client sends and receives, without
	// TLS around them: for a log of the protocol. They contain the secrets of a login.
	// Nil = no call.
	Observe func(sent bool, octets []byte)
}

func (o *Options) dialer() transport.Dialer {
	if o == nil {
		return transport.Dialer{}
	}
	return transport.Dialer{
		TLSConfig: o.TLSConfig, DialContext: o.DialContext, Address: o.Address, StepTimeout: o.StepTimeout,
		Resolver: o.Resolver, AcceptHost: o.AcceptHost, Found: o.Found,
	}
}

// DialTLS connects to the address, host:port, with implicit TLS (RFC 8314).
// Nil options are the zero value. Errors are ErrConfig for an invalid address,
// ErrSecurity for a certificate that is not accepted, and those of NewConn. Every
// error but an ErrConfig is also a *transport.StepError.
func DialTLS(ctx context.Context, address string, options *Options) (*Conn, error) {
	dialer := options.dialer()
	conn, host, err := dialer.DialAddress(ctx, address)
	if err != nil {
		return nil, err
	}
	secured, err := dialer.Secure(ctx, conn, host, "imap", false)
	if err != nil {
		return nil, withoutTLS(err)
	}
	return NewConn(ctx, secured, dialer.Host(host), options)
}

// DialStartTLS connects to the address, host:port, and switches to TLS with
// STARTTLS. Nil options are the zero value. Errors are ErrConfig for an invalid
// address, and those of NewStartTLS.
func DialStartTLS(ctx context.Context, address string, options *Options) (*Conn, error) {
	conn, host, err := options.dialer().DialAddress(ctx, address)
	if err != nil {
		return nil, err
	}
	return NewStartTLS(ctx, conn, host, options)
}

// NewConn takes over a connection on which nothing has been read yet: one of
// crypto/tls, a Unix socket, or any other. The host is the name that the peer
// should have. Of the options, which may be nil, TLSConfig, DialContext and
// Address have no effect.
//
// Errors are ErrConnection, also for a server that says BYE or does not speak TLS
// where it should, ErrProtocol for something else than IMAP, and ErrSecurity for a
// certificate that is not accepted. An error shows the line of a server that speaks
// another protocol, and names the function for a port of the other kind. Errors are
// a *transport.StepError, and the connection is closed then.
func NewConn(ctx context.Context, conn net.Conn, host string, options *Options) (*Conn, error) {
	c := newConn(conn, host, options)
	err := c.step(ctx, transport.TLSHandshake, transport.ConnectTimeout(c.options.StepTimeout), func(ctx context.Context) error {
		return transport.FinishHandshake(ctx, conn)
	})
	if err != nil {
		return nil, withoutTLS(err)
	}
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	return c.learn(ctx)
}

// NewStartTLS takes over a connection without TLS on which nothing has been read
// yet, and switches to TLS with STARTTLS (RFC 9051 s6.2.1). It forgets everything
// that the server said before. The host and the options are those of NewConn, but
// TLSConfig has an effect.
//
// A server that refuses STARTTLS, or that greets with PREAUTH, after which there
// is no STARTTLS, is a transport.ErrNoStartTLS. The library's *imap.Error of a
// refusal is there for errors.As. A server that cannot do TLS at the moment
// (UNAVAILABLE and the like, RFC 5530) is an ErrTemporary. Data behind the server's
// answer is an ErrSecurity. Other errors are those of NewConn.
func NewStartTLS(ctx context.Context, conn net.Conn, host string, options *Options) (*Conn, error) {
	c := newConn(conn, host, options)
	answer := transport.AnswerTimeout(c.options.StepTimeout)
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	if err := c.step(ctx, transport.StartTLS, answer, c.startTLS); err != nil {
		return nil, err
	}
	dialer := c.options.dialer()
	secured, err := dialer.Secure(ctx, conn, host, "imap", true)
	if err != nil {
		return nil, err
	}
	c.info.Host = dialer.Host(host)
	c.conn = transport.Observe(secured, c.options.Observe)
	c.reader = bufio.NewReader(c.conn)
	c.capabilities, c.alerts = nil, nil
	return c.learn(ctx)
}

func newConn(conn net.Conn, host string, options *Options) *Conn {
	c := &Conn{info: sasl.ServerInfo{Host: host}}
	if options != nil {
		c.options = *options
	}
	c.conn = transport.Observe(conn, c.options.Observe)
	c.reader = bufio.NewReader(c.conn)
	return c
}

// step runs a step that comes before the authentication, and closes the
// connection if the step fails.
func (c *Conn) step(ctx context.Context, step transport.Step, limit time.Duration, wait func(context.Context) error) error {
	err := transport.Run(ctx, step, limit, c.conn, wait)
	if err != nil {
		transport.Close(c.conn)
	}
	return err
}

// open reads the greeting.
func (c *Conn) open(ctx context.Context) error {
	return c.silent(c.step(ctx, transport.Greeting, transport.AnswerTimeout(c.options.StepTimeout), c.greet))
}
