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

// defaultSocket is the path of OpenLDAP's Unix socket.
const defaultSocket = "/var/run/slapd/ldapi"

// ports are the default ports by scheme.
var ports = map[string]string{"ldap": "389", "ldaps": "636"}

// DialURL connects to ldap://host[:port], with StartTLS, to ldaps://host[:port],
// or to ldapi://path, a Unix socket. The path is percent-encoded; without a path it
// is /var/run/slapd/ldapi. For a socket the network that DialContext gets is
// "unix", and the option Address has no effect. A nil *Options is the zero value.
//
// Errors are ErrConfig for an invalid URL, and else a *transport.StepError:
// ErrConfig for an invalid Address, and the errors of NewConn and NewStartTLS.
func DialURL(ctx context.Context, text string, options *Options) (*Client, error) {
	dialer := options.dialer()
	if rest, ok := cutScheme(text, "ldapi"); ok {
		path, err := socketPath(rest)
		if err != nil {
			return nil, err
		}
		conn, err := dialer.DialNetwork(ctx, "unix", path)
		if err != nil {
			return nil, err
		}
		return NewConn(ctx, conn, "localhost", options)
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || ports[u.Scheme] == "" {
		return nil, fmt.Errorf("%w: the URL %q does not have the form ldap://host, ldaps://host or ldapi://path", sasl.ErrConfig, text)
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	conn, err := dialer.Dial(ctx, host, port)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme == "ldap" && options != nil && options.NoStartTLS:
		return NewConn(ctx, conn, host, options)
	case u.Scheme == "ldap":
		return NewStartTLS(ctx, conn, host, options)
	}
	secured, err := dialer.Secure(ctx, conn, host, "", false)
	if err != nil {
		return nil, err
	}
	return NewConn(ctx, secured, host, options)
}

func cutScheme(text, scheme string) (rest string, ok bool) {
	found, rest, ok := strings.Cut(text, "://")
	return rest, ok && strings.EqualFold(found, scheme)
}

// socketPath decodes a path that is percent-encoded in place of a host.
func socketPath(rest string) (string, error) {
	encoded, _, _ := strings.Cut(rest, "?")
	path, err := url.PathUnescape(strings.TrimSuffix(encoded, "/"))
	if err != nil {
		return "", fmt.Errorf("%w: the path %q of the socket is not percent-encoded", sasl.ErrConfig, encoded)
	}
	if path == "" {
		path = defaultSocket
	}
	return path, nil
}

// NewStartTLS takes over a connection without TLS on which nothing has been read
// yet, and starts TLS (RFC 4511 s4.14). The host is the name that is verified. If
// NewStartTLS fails, the connection is closed. A nil *Options is the zero value.
//
// Errors are a *transport.StepError: ErrTemporary if the server is busy or
// unavailable; ErrSecurity if it refuses StartTLS (transport.ErrNoStartTLS), for
// data behind its answer, and for a certificate that is not accepted; ErrProtocol
// for an invalid answer; else ErrConnection. The library's error for a result code
// is there for errors.As.
func NewStartTLS(ctx context.Context, conn net.Conn, host string, options *Options) (*Client, error) {
	dialer := options.dialer()
	err := transport.Run(ctx, transport.StartTLS, transport.AnswerTimeout(dialer.StepTimeout), conn, func(context.Context) error {
		return startTLS(conn)
	})
	if err != nil {
		transport.Close(conn)
		return nil, err
	}
	secured, err := dialer.Secure(ctx, conn, host, "", true)
	if err != nil {
		return nil, err
	}
	return NewConn(ctx, secured, host, options)
}

// startTLS sends the request and reads the answer, and nothing behind the answer.
func startTLS(conn net.Conn) error {
	const id = 1
	if _, err := conn.Write(encodeStartTLS(id)); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	answer, err := readStartTLS(r, id)
	if err != nil {
		return err
	}
	result, err := decodeResult(answer, extendedResponse)
	switch {
	case err != nil:
		return err
	case result.code == ldap.LDAPResultUnavailable || result.code == ldap.LDAPResultBusy:
		return &resultError{sasl.ErrTemporary, "the server does not start TLS at this time", result}
	case result.code != ldap.LDAPResultSuccess:
		return transport.NoStartTLS(result.words(), result.library)
	}
	return transport.NothingBehind(r)
}

// readStartTLS reads the answer to the request with this message ID. Errors
// without a class are those of the connection.
func readStartTLS(r *bufio.Reader, id int64) (frame, error) {
	h, err := peekHeader(r)
	switch {
	case err != nil:
		return frame{}, err
	case h.total > maxOwn || h.id != id && h.id != 0:
		return frame{}, errNoAnswer
	}
	answer := frame{header: h, bytes: make([]byte, h.total)}
	if _, err := io.ReadFull(r, answer.bytes); err != nil {
		return frame{}, err
	}
	if h.id == 0 {
		if err := disconnection(answer); err != nil {
			return frame{}, err
		}
		return frame{}, errNoAnswer
	}
	return answer, nil
}

var errNoAnswer = fmt.Errorf("%w: the server sent another message than the answer to StartTLS", sasl.ErrProtocol)
