package saslldap

import (
	"context"
	"fmt"
	"net/url"
	"strings"

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
// ErrConfig for an invalid Address, and the errors of NewConn and NewStartTLS. If the
// server shows that the port is for another scheme, the error names that scheme.
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
	dialer.StepTimeout = wrongPortLimit(conn, ports["ldap"], transport.ConnectTimeout(dialer.StepTimeout))
	secured, err := dialer.Secure(ctx, conn, host, "", false)
	if err != nil {
		return nil, notTLS(err)
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
