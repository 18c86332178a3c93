// Package saslimap authenticates IMAP connections (RFC 9051, RFC 3501) with
// any mechanism of package sasl, and hands them on as clients of
// github.com/emersion/go-imap/v2:
//
//	conn, err := saslimap.DialTLS(ctx, "mail.example.org:993", nil)
//	if err != nil { … }
//	if _, err := conn.Authenticate(ctx, auth); err != nil { … }
//	client := conn.Client(nil) // an *imapclient.Client, already authenticated
//
// For a client that exists already there is the function [Authenticate], which
// can do less: the library's hook leaves it only mechanisms that are a single
// message. For a server on imapserver there is [ServerAuth].
package saslimap

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/saslkit/saslkit/channelbinding"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Conn is an IMAP connection on the way to being authenticated. It is a
// sasl.DeferringInterface. One goroutine uses its methods; Close may come from another.
type Conn struct {
	conn   net.Conn // what is spoken over: that which was given, or TLS over it
	given  net.Conn // as it was handed over
	reader *bufio.Reader
	info   sasl.ServerInfo

	capabilities  []string // in upper case, in the server's order; nil = not known
	fresh         bool     // they came with the last answer
	alerts        []string
	lastTag       int
	tag           string      // of the exchange that is open, "" if none is
	payload       sasl.Secret // the last message that was sent, in base64
	preauth       bool
	authenticated bool
	handedOver    bool
	closed        atomic.Bool
}

// Options are for the functions that make a Conn. The zero value, or nil, is
// the default.
type Options struct {
	// TLSConfig is for the TLS handshake. Its ServerName, if set, is the host
	// that is verified; else it is the host of the address.
	TLSConfig *tls.Config
	// Dialer makes the TCP connection.
	Dialer *net.Dialer
	// Secure asserts that the connection is confidential and its peer the host,
	// although crypto/tls did not verify it: for pinned certificates and DANE.
	Secure bool
	// EnforcesBinding asserts that the server refuses a login with a wrong channel
	// binding or without one; see sasl.ServerInfo.
	EnforcesBinding bool
}

// DialTLS connects to the address, host:port, with implicit TLS (RFC 8314).
// Errors are ErrSecurity for a certificate that is not accepted, ErrConfig for
// an address that is none, else ErrConnection.
func DialTLS(ctx context.Context, address string, options *Options) (*Conn, error) {
	conn, host, err := dial(ctx, address, options)
	if err != nil {
		return nil, err
	}
	return open(ctx, conn, host, options, func(c *Conn) error {
		if err := c.handshake(ctx, options, host); err != nil {
			return err
		}
		return c.greet()
	})
}

// DialStartTLS connects to the address, host:port, and switches to TLS with
// STARTTLS. Errors are as for NewStartTLS and DialTLS.
func DialStartTLS(ctx context.Context, address string, options *Options) (*Conn, error) {
	conn, host, err := dial(ctx, address, options)
	if err != nil {
		return nil, err
	}
	return NewStartTLS(ctx, conn, host, options)
}

// NewConn takes over a connection on which nothing has been read yet: one of
// crypto/tls, a Unix socket, or any other. The host is who the peer should be.
// If it fails, the connection is closed.
func NewConn(ctx context.Context, conn net.Conn, host string, options *Options) (*Conn, error) {
	return open(ctx, conn, host, options, func(c *Conn) error {
		if conn, ok := conn.(interface{ HandshakeContext(context.Context) error }); ok {
			if err := conn.HandshakeContext(ctx); err != nil {
				return transport.HandshakeError(err)
			}
		}
		return c.greet()
	})
}

// NewStartTLS takes over a connection without TLS on which nothing has been
// read yet, and switches to TLS with STARTTLS (RFC 9051 s6.2.1). What the
// server said before that is forgotten. If it fails, the connection is closed.
//
// A server that refuses STARTTLS, that greets with PREAUTH, or behind whose
// answer somebody put more data is ErrSecurity.
func NewStartTLS(ctx context.Context, conn net.Conn, host string, options *Options) (*Conn, error) {
	return open(ctx, conn, host, options, func(c *Conn) error {
		if err := c.greet(); err != nil {
			return err
		}
		if err := c.startTLS(); err != nil {
			return err
		}
		return transport.StartTLSError(c.handshake(ctx, options, host))
	})
}

func dial(ctx context.Context, address string, options *Options) (net.Conn, string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return nil, "", fmt.Errorf("%w: the address %q is not host:port", sasl.ErrConfig, address)
	}
	dialer := new(net.Dialer)
	if options != nil && options.Dialer != nil {
		dialer = options.Dialer
	}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, "", transport.Classify(ctx, err)
	}
	return conn, host, nil
}

func newConn(conn net.Conn, host string) *Conn {
	return &Conn{conn: conn, given: conn, reader: bufio.NewReader(conn), info: sasl.ServerInfo{Host: host}}
}

// open makes a Conn by what leads to a usable connection, learns what it proves
// and what the server can do, and closes it if that fails or the context ends.
func open(ctx context.Context, conn net.Conn, host string, options *Options, establish func(*Conn) error) (*Conn, error) {
	c := newConn(conn, host)
	stop := context.AfterFunc(ctx, func() { transport.Close(c.given) })
	err := establish(c)
	if err == nil {
		err = c.learn(options)
	}
	if !stop() || err != nil {
		transport.Close(c.given)
		return nil, transport.Classify(ctx, err)
	}
	return c, nil
}

// handshake puts TLS over the connection.
func (c *Conn) handshake(ctx context.Context, options *Options, host string) error {
	config := new(tls.Config)
	if options != nil && options.TLSConfig != nil {
		config = options.TLSConfig.Clone()
	}
	conn, err := transport.Handshake(ctx, c.conn, host, "imap", config)
	if err != nil {
		return err
	}
	if config.ServerName != "" {
		c.info.Host = config.ServerName
	}
	c.conn, c.reader = conn, bufio.NewReader(conn)
	c.capabilities, c.alerts = nil, nil
	return nil
}

// learn fills in what the connection proves and what the server offers.
func (c *Conn) learn(options *Options) error {
	info, err := channelbinding.ClientConn(c.conn, c.info.Host)
	if err != nil {
		return err
	}
	if options != nil {
		info.Secure = info.Secure || options.Secure
		info.EnforcesBinding = options.EnforcesBinding
	}
	info.Service = "imap"
	if remote, ok := c.conn.RemoteAddr().(*net.TCPAddr); ok {
		info.Port = remote.Port
	}
	c.info = info
	if c.capabilities == nil && !c.preauth {
		return c.askCapabilities()
	}
	return nil
}

// ServerInfo returns what is known about the server and the connection.
func (c *Conn) ServerInfo() sasl.ServerInfo {
	info := c.info
	for _, capability := range c.capabilities {
		if mechanism, ok := strings.CutPrefix(capability, "AUTH="); ok {
			info.Mechanisms = append(info.Mechanisms, mechanism)
		}
	}
	return info
}

// Alerts returns the texts that the server wants a person to see (the ALERT
// response code, RFC 9051 s7.1), oldest first. They are the server's word.
func (c *Conn) Alerts() []string { return slices.Clone(c.alerts) }

// Authenticate authenticates the connection. After a refusal that left it in
// sync it may be called again. It is closed after an error of class
// ErrConnection, and after an ErrSecurity of a run in which something was sent.
//
// A server that greeted with PREAUTH is ErrSecurity: it claims to know already
// who we are.
func (c *Conn) Authenticate(ctx context.Context, auth *sasl.Client) (sasl.Result, error) {
	switch info := c.ServerInfo(); {
	case c.handedOver || c.authenticated:
		return sasl.Result{}, fmt.Errorf("%w: the connection is authenticated already", sasl.ErrConfig)
	case c.preauth:
		c.Close()
		return sasl.Result{}, fmt.Errorf("%w: the server greeted with PREAUTH, as if we were authenticated", sasl.ErrSecurity)
	case len(info.Mechanisms) == 0 && c.has("LOGINDISABLED") && info.TLSVersion == 0:
		return sasl.Result{}, fmt.Errorf("%w: the server wants TLS before any login (LOGINDISABLED)", sasl.ErrPolicy)
	default:
		result, err := auth.Authenticate(ctx, c, info)
		c.authenticated = err == nil
		return result, err
	}
}

// Close closes the connection without a word. It may be called at any time.
func (c *Conn) Close() error {
	c.closed.Store(true)
	return transport.Close(c.given)
}
