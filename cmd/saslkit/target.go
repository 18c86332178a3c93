package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	sasl "github.com/saslkit/saslkit/core"
)

// target is where to authenticate, from the URL and the flags about the
// connection.
type target struct {
	scheme  string
	user    string // from the URL
	host    string // the name that is verified
	urlHost string // the same as a URL has it
	address string // where the TCP connection goes, or the path of a socket; "" = to be looked up
	tls     *tls.Config
	// insecure allows for a server that cannot be verified, or has no TLS: what
	// may be used there is the Client's policy.
	insecure bool
	// enforcesBinding is the person's assertion that the server compares channel
	// bindings.
	enforcesBinding bool
	// mechanisms are what the person says that the server has, for a server of LDAP
	// that does not show its list.
	mechanisms []string
	// agentID is what this client calls itself where a server issues tokens to it;
	// "" = it has none.
	agentID string
	// told gets what the server offers; nil = nobody wants to know.
	told func(sasl.ServerInfo)
}

// connection is one to a server, of any protocol.
type connection struct {
	// info is nil where the protocol offers something only in the course of
	// authenticate, which tells it then.
	info         *sasl.ServerInfo
	authenticate func(context.Context, *sasl.Client) (sasl.Result, error)
	// identity asks the server who we are, which it may not tell; nil where it
	// cannot be asked.
	identity func(context.Context) (authzid string, told bool, err error)
	alerts   func() []string
	// end says goodbye, or closes a connection that is not authenticated.
	end func(context.Context)
}

// scheme is a protocol under the name that it has in a URL.
type scheme struct {
	port string // the default; "" = looked up, or a socket
	dial func(context.Context, *target) (*connection, error)
}

var schemes = map[string]scheme{
	"imap":        {"143", dialIMAP},
	"imaps":       {"993", dialIMAP},
	"ldap":        {"389", dialLDAP},
	"ldapi":       {"", dialLDAP},
	"ldaps":       {"636", dialLDAP},
	"smtp":        {"587", dialSMTP},
	"smtps":       {"465", dialSMTP},
	"submissions": {"465", dialSMTP},
	"xmpp":        {"", dialXMPP},
	"xmpps":       {"", dialXMPP},
}

func (t *target) isXMPP() bool { return t.scheme == "xmpp" || t.scheme == "xmpps" }

func usageError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", sasl.ErrConfig, fmt.Errorf(format, args...))
}

// parseTarget reads a URL: scheme://[user@]host[:port]. The password has no
// place in it, because arguments are for everybody on the machine to see.
func parseTarget(text string) (*target, error) {
	if user, path, ok := cutSocket(text); ok {
		return socketTarget(user, path)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, usageError("the URL cannot be parsed: it is scheme://[user@]host[:port], with %%40 for an @ in the user")
	}
	s, ok := schemes[u.Scheme]
	switch {
	case !ok:
		return nil, usageError("the scheme %q is not known: there are %s", u.Scheme, strings.Join(slices.Sorted(maps.Keys(schemes)), ", "))
	case u.Hostname() == "" || u.Opaque != "":
		return nil, usageError("the URL has no host: it is %s://[user@]host[:port]", u.Scheme)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return nil, usageError("the URL has something behind the host: it is %s://[user@]host[:port]", u.Scheme)
	}
	if _, ok := u.User.Password(); ok {
		return nil, usageError("the URL has a password, which everybody on the machine can read: use SASLKIT_PASSWORD, --password-file or the prompt")
	}
	port := u.Port()
	if port == "" {
		port = s.port
	}
	host := u.Hostname()
	if ascii, err := idna.Lookup.ToASCII(host); err == nil { // as the DNS and certificates have it
		host = ascii
	}
	t := &target{
		scheme:  u.Scheme,
		user:    u.User.Username(),
		host:    host,
		urlHost: strings.Replace(u.Host, u.Hostname(), host, 1),
		tls:     &tls.Config{ServerName: host},
	}
	if port == "" {
		return t, nil
	}
	t.address = net.JoinHostPort(host, port)
	return t, checkAddress("the URL", t.address)
}

// cutSocket reads ldapi://[user@]path, which is no URL of RFC 3986: the
// percent-encoded path takes the place of a host.
func cutSocket(text string) (user, path string, ok bool) {
	rest, ok := strings.CutPrefix(text, "ldapi://")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, rest = rest[:at], rest[at+1:]
	}
	return user, strings.TrimSuffix(rest, "/"), ok
}

// socketTarget is a Unix socket; without a path it is where OpenLDAP has it.
func socketTarget(user, path string) (*target, error) {
	name, err1 := url.PathUnescape(user)
	path, err2 := url.PathUnescape(path)
	switch {
	case err1 != nil || err2 != nil:
		return nil, usageError("the URL cannot be parsed: it is ldapi://[user@]path, with %%2F for a / in the path")
	case strings.Contains(user, ":"):
		return nil, usageError("the URL has a password, which everybody on the machine can read: use SASLKIT_PASSWORD, --password-file or the prompt")
	}
	return &target{scheme: "ldapi", user: name, host: "localhost", address: path, tls: &tls.Config{}}, nil
}

// checkAddress reports whether there can be such an address.
func checkAddress(what, address string) error {
	host, port, err := net.SplitHostPort(address)
	if number, numberErr := strconv.ParseUint(port, 10, 16); err != nil || numberErr != nil || host == "" || number == 0 {
		return usageError("%s has no HOST:PORT with a port from 1 to 65535: %q", what, address)
	}
	return nil
}

// trust reads the files with certificates.
func (t *target) trust(caFile, certFile, keyFile string) error {
	if caFile != "" {
		text, err := os.ReadFile(caFile)
		if err != nil {
			return usageError("--ca-file: %w", err)
		}
		t.tls.RootCAs = x509.NewCertPool()
		if !t.tls.RootCAs.AppendCertsFromPEM(text) {
			return usageError("--ca-file: %s has no certificate in PEM form", caFile)
		}
	}
	if certFile == "" && keyFile != "" {
		return usageError("--key needs --cert")
	}
	if certFile != "" {
		if keyFile == "" {
			keyFile = certFile
		}
		certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return usageError("--cert, --key: %w", err)
		}
		t.tls.Certificates = []tls.Certificate{certificate}
	}
	return nil
}

// limitTLS sets the versions of TLS that are used.
func (t *target) limitTLS(least, most string) error {
	versions := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
	for _, limit := range []struct {
		flag, value string
		field       *uint16
	}{{"--tls-min", least, &t.tls.MinVersion}, {"--tls-max", most, &t.tls.MaxVersion}} {
		version, ok := versions[limit.value]
		if !ok && limit.value != "" {
			return usageError("%s is 1.2 or 1.3, not %q", limit.flag, limit.value)
		}
		*limit.field = version
	}
	if least == "1.3" && most == "1.2" {
		return usageError("--tls-min is above --tls-max")
	}
	return nil
}
