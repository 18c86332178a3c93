// Package saslsmtp authenticates SMTP connections (RFC 4954) with any mechanism of
// package sasl, and hands them over to clients of github.com/emersion/go-smtp or
// of net/smtp:
//
//	conn, err := saslsmtp.DialStartTLS(ctx, "mail.example.org:587", nil)
//	if err != nil { … }
//	if _, err := conn.Authenticate(ctx, auth); err != nil { … }
//	client := conn.Client() // an *smtp.Client of go-smtp, already authenticated
//
// [DialDomain] finds the server of an address by the SRV records of its domain. The
// functions [Authenticate] and [AuthenticateNet] are for a client that exists
// already. The module gomail below this one is for clients of
// github.com/wneessen/go-mail. [ServerAuth] is for a server on go-smtp.
package saslsmtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/saslkit/saslkit/channelbinding"
	"github.com/saslkit/saslkit/channelbinding/transport"
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
	secured, err := dialer.Secure(ctx, conn, host, "", false)
	if err != nil {
		return nil, clearText(err)
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
// Address have no effect. LMTP is not supported.
//
// Errors are ErrTemporary for a 4yz reply of the server, ErrConnection, also for a
// 5yz reply to the connection or to EHLO, ErrProtocol for something else than SMTP,
// and ErrSecurity for a certificate that is not accepted. They are a
// *transport.StepError, and the connection is closed then. A reply is a *Reply for
// errors.As.
func NewConn(ctx context.Context, conn net.Conn, host string, options *Options) (*Conn, error) {
	c := newConn(conn, host, options)
	err := c.step(ctx, transport.TLSHandshake, transport.ConnectTimeout(c.options.StepTimeout), func(ctx context.Context) error {
		return transport.FinishHandshake(ctx, conn)
	})
	if err != nil {
		return nil, clearText(err)
	}
	if err := c.answer(ctx, transport.Greeting, c.greet); err != nil {
		return nil, c.silent(err)
	}
	return c.learn(ctx)
}

// NewStartTLS takes over a connection without TLS on which nothing has been read
// yet, and switches to TLS with STARTTLS (RFC 3207). It forgets everything that the
// server said before. The host and the options are those of NewConn, but TLSConfig
// has an effect.
//
// A server that does not offer STARTTLS or refuses it is a
// transport.ErrNoStartTLS. A server that cannot do TLS at the moment (454 and other
// 4yz replies) is an ErrTemporary. Data behind the server's answer is an
// ErrSecurity. Other errors are those of NewConn.
func NewStartTLS(ctx context.Context, conn net.Conn, host string, options *Options) (*Conn, error) {
	c := newConn(conn, host, options)
	if err := c.answer(ctx, transport.Greeting, c.greet); err != nil {
		return nil, c.silent(err)
	}
	if err := c.answer(ctx, transport.Capabilities, c.ehlo); err != nil {
		return nil, err
	}
	if err := c.answer(ctx, transport.StartTLS, c.startTLS); err != nil {
		return nil, err
	}
	dialer := c.options.dialer()
	secured, err := dialer.Secure(ctx, conn, host, "", true)
	if err != nil {
		return nil, err
	}
	return newConn(secured, dialer.Host(host), options).learn(ctx)
}

func newConn(conn net.Conn, host string, options *Options) *Conn {
	c := &Conn{host: host}
	if options != nil {
		c.options = *options
	}
	conn = transport.Observe(conn, c.options.Observe)
	c.conn = conn
	c.protocol = protocol{
		reader: bufio.NewReader(conn), writer: bufio.NewWriter(conn), closer: conn,
		conn: conn, limit: transport.AnswerTimeout(c.options.StepTimeout),
	}
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

// answer is step for a step that waits for one answer.
func (c *Conn) answer(ctx context.Context, step transport.Step, wait func() error) error {
	return c.step(ctx, step, transport.AnswerTimeout(c.options.StepTimeout), func(context.Context) error { return wait() })
}

// learn finds out what the server can do and what the connection proves.
func (c *Conn) learn(ctx context.Context) (*Conn, error) {
	if err := c.answer(ctx, transport.Capabilities, c.ehlo); err != nil {
		return nil, err
	}
	info, err := channelbinding.ClientConn(c.conn, c.host)
	if err != nil {
		transport.Close(c.conn)
		return nil, err
	}
	Existing{Secure: c.options.Secure, EnforcesBinding: c.options.EnforcesBinding}.complete(&info, c.mechanisms)
	if remote, ok := c.conn.RemoteAddr().(*net.TCPAddr); ok {
		info.Port = remote.Port
	}
	c.info = info
	return c, nil
}
