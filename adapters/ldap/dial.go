package saslldap

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// defaultSocket is where OpenLDAP has its Unix socket.
const defaultSocket = "/var/run/slapd/ldapi"

// DialURL connects to ldap://host[:port], with StartTLS, to ldaps://host[:port],
// or to ldapi://path, a Unix socket, whose path is percent-encoded; without one
// it is /var/run/slapd/ldapi. Errors are those of NewConn and NewStartTLS, and
// ErrConfig for a URL that is none.
func DialURL(ctx context.Context, text string, options *Options) (*Client, error) {
	if options == nil {
		options = &Options{}
	}
	if rest, ok := cutScheme(text, "ldapi"); ok {
		return dialSocket(ctx, rest, options)
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "ldap" && u.Scheme != "ldaps" {
		return nil, fmt.Errorf("%w: %q is no URL of the form ldap://host, ldaps://host or ldapi://path", sasl.ErrConfig, text)
	}
	address := options.Address
	if address == "" {
		port := u.Port()
		if port == "" {
			port = map[string]string{"ldap": "389", "ldaps": "636"}[u.Scheme]
		}
		address = net.JoinHostPort(u.Hostname(), port)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	switch {
	case u.Scheme == "ldaps":
		secured, err := transport.Handshake(ctx, conn, u.Hostname(), "", options.TLSConfig)
		if err != nil {
			conn.Close()
			return nil, err
		}
		conn = secured
	case !options.NoStartTLS:
		return NewStartTLS(ctx, conn, u.Hostname(), options)
	}
	return NewConn(ctx, conn, u.Hostname(), options)
}

func cutScheme(text, scheme string) (rest string, ok bool) {
	found, rest, ok := strings.Cut(text, "://")
	return rest, ok && strings.EqualFold(found, scheme)
}

// dialSocket connects to a path, which is percent-encoded in place of a host.
func dialSocket(ctx context.Context, rest string, options *Options) (*Client, error) {
	encoded, _, _ := strings.Cut(rest, "?")
	path, err := url.PathUnescape(strings.TrimSuffix(encoded, "/"))
	if err != nil {
		return nil, fmt.Errorf("%w: the path of the socket is not percent-encoded: %q", sasl.ErrConfig, encoded)
	}
	if path == "" {
		path = defaultSocket
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	return NewConn(ctx, conn, "localhost", options)
}

// NewStartTLS takes over a connection without TLS on which nothing has been
// read yet, and switches to TLS (RFC 4511 s4.14). If it fails, the connection
// is closed.
//
// A server that refuses, or behind whose answer somebody put more data, is
// ErrSecurity.
func NewStartTLS(ctx context.Context, conn net.Conn, host string, options *Options) (*Client, error) {
	if options == nil {
		options = &Options{}
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	err := startTLS(conn)
	if !stop() {
		err = fmt.Errorf("%w: %w", sasl.ErrConnection, ctx.Err())
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	secured, err := transport.Handshake(ctx, conn, host, "", options.TLSConfig)
	if err != nil {
		conn.Close()
		return nil, transport.StartTLSError(err)
	}
	return NewConn(ctx, secured, host, options)
}

// startTLS asks for TLS and reads the answer, and nothing behind it.
func startTLS(conn net.Conn) error {
	const id = 1
	if _, err := conn.Write(encodeStartTLS(id)); err != nil {
		return fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	r := bufio.NewReader(conn)
	h, err := peekHeader(r)
	switch {
	case err != nil && sasl.ClassOf(err) == "":
		return fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	case err != nil:
		return err
	case h.frame > maxOwn || h.id != id && h.id != 0:
		return fmt.Errorf("%w: the server does not answer StartTLS", sasl.ErrProtocol)
	}
	answer := frame{header: h, bytes: make([]byte, h.frame)}
	if _, err := io.ReadFull(r, answer.bytes); err != nil {
		return fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	if h.id == 0 {
		if err := disconnection(answer); err != nil {
			return err
		}
		return fmt.Errorf("%w: the server does not answer StartTLS", sasl.ErrProtocol)
	}
	result, err := decodeResult(answer, extendedResponse)
	switch {
	case err != nil:
		return err
	case result.code == ldap.LDAPResultUnavailable || result.code == ldap.LDAPResultBusy:
		return &told{sasl.ErrTemporary, "the server does not start TLS now", result}
	case result.code != ldap.LDAPResultSuccess:
		return &told{sasl.ErrSecurity, "the server refuses StartTLS, or somebody took it away", result}
	case r.Buffered() > 0:
		return fmt.Errorf("%w: somebody put more data behind the server's answer to StartTLS", sasl.ErrSecurity)
	}
	return nil
}
