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
	"strings"

	"golang.org/x/net/idna"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// target describes the server and the connection, from the URL and the flags.
type target struct {
	scheme  string
	user    string // from the URL
	host    string // the name that is verified
	urlHost string // the same name in the form of a URL, with the port if there is one
	address string // of the TCP connection, or the path of a socket; "" = to be looked up
	tls     *tls.Config
	// lookedUp is for an address: the host is its domain, whose SRV records name the
	// server.
	lookedUp bool
	// found and acceptHost are the options of that name of the adapters.
	found      func(transport.Target)
	acceptHost func(ctx context.Context, domain, host string) bool
	// insecure allows a server that is not verified, or has no TLS. The Client's
	// policy decides which mechanisms may be used with such a server.
	insecure bool
	// noStartTLS leaves the connection without TLS.
	noStartTLS bool
	// enforcesBinding is the user's assertion that the server compares channel
	// bindings.
	enforcesBinding bool
	// layer is the security layer of LDAP that the user wants, and count the base of
	// the entries to count; "" = nothing.
	layer sasl.LayerStrength
	count string
	// mechanisms is the list of a server of LDAP that does not show its list, as the
	// person states it.
	mechanisms []string
	// agentID identifies this client to a server that issues tokens to the client;
	// "" = no id.
	agentID string
	// observe is called with the octets of the protocol; nil = no call.
	observe func(sent bool, octets []byte)
	// connected is called with the address of a connection that was made; nil = no call.
	connected func(address string)
	// silent is called if the server at the address sends nothing for a time; nil = no
	// call.
	silent func(address string)
	// told is called with the facts about the server; nil = no call.
	told func(sasl.ServerInfo)
}

// connection is a connection to a server, of any protocol.
type connection struct {
	// info is nil if the protocol has the server's offer only in the course of
	// authenticate, which then calls target.told.
	info         *sasl.ServerInfo
	authenticate func(context.Context, *sasl.Client) (sasl.Result, error)
	// identity requests our identity from the server. known is false if the server
	// refuses to name the identity. identity is nil if the protocol has no such
	// request.
	identity func(context.Context) (authzid string, known bool, err error)
	// entries counts the entries of the server, as the user wants; nil = does not
	// want.
	entries func(context.Context) (int, error)
	alerts  func() []string
	// end logs out, or closes a connection that is not authenticated.
	end func(context.Context)
}

// scheme is a protocol, whose name in a URL is the key in schemes.
type scheme struct {
	port string // the default; "" = looked up, or no port
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

// parseTarget reads a URL: scheme://[user@]host[:port]. A URL with a password is an
// error, because every user of the machine can read the arguments.
func parseTarget(text string) (*target, error) {
	if user, path, ok := cutSocket(text); ok {
		return socketTarget(user, path)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, usageError("an invalid URL: write scheme://[user@]host[:port], with %%40 for an @ in the user")
	}
	s, ok := schemes[u.Scheme]
	switch {
	case !ok:
		return nil, usageError("the scheme %q is unknown: use one of %s", u.Scheme, strings.Join(slices.Sorted(maps.Keys(schemes)), ", "))
	case u.Host != "" && u.Host[0] != '[' && strings.Count(u.Host, ":") > 1:
		return nil, usageError("an address of IPv6 needs brackets in a URL: write %s://[user@][2001:db8::1]:port", u.Scheme)
	case u.Hostname() == "" || u.Opaque != "":
		return nil, usageError("the URL has no host: write %s://[user@]host[:port]", u.Scheme)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return nil, usageError("the URL has a path, a query or a fragment: write %s://[user@]host[:port]", u.Scheme)
	}
	if _, ok := u.User.Password(); ok {
		return nil, usageError("the URL has a password, which every user of the machine can read: use SASLKIT_PASSWORD, --password-file or the prompt")
	}
	port := u.Port()
	if port == "" {
		port = s.port
	}
	host := u.Hostname()
	if ascii, err := idna.Lookup.ToASCII(host); err == nil { // the form of the DNS and of certificates
		host = ascii
	}
	t := &target{
		scheme:  u.Scheme,
		user:    u.User.Username(),
		host:    host,
		urlHost: strings.Replace(u.Host, u.Hostname(), host, 1),
		tls:     &tls.Config{ServerName: withoutZone(host)},
	}
	if port == "" {
		return t, nil
	}
	t.address = net.JoinHostPort(host, port)
	return t, checkAddress("the URL", t.address)
}

// cutSocket reads ldapi://[user@]path, which is not a URL of RFC 3986, because the
// percent-encoded path is in the place of the host.
func cutSocket(text string) (user, path string, ok bool) {
	rest, ok := strings.CutPrefix(text, "ldapi://")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, rest = rest[:at], rest[at+1:]
	}
	return user, strings.TrimSuffix(rest, "/"), ok
}

// socketTarget returns the target of a Unix socket. An empty path means the default
// of OpenLDAP.
func socketTarget(user, path string) (*target, error) {
	name, err1 := url.PathUnescape(user)
	path, err2 := url.PathUnescape(path)
	switch {
	case err1 != nil || err2 != nil:
		return nil, usageError("an invalid URL: write ldapi://[user@]path, with %%2F for a / in the path")
	case strings.Contains(user, ":"):
		return nil, usageError("the URL has a password, which every user of the machine can read: use SASLKIT_PASSWORD, --password-file or the prompt")
	}
	return &target{scheme: "ldapi", user: name, host: "localhost", address: path, tls: &tls.Config{}}, nil
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
			return usageError("--ca-file: %s has no certificate in PEM form: name a file with certificates", caFile)
		}
	}
	if certFile == "" && keyFile != "" {
		return usageError("--key needs --cert: name the file of the certificate")
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
			return usageError("%s has an invalid version: %q: use 1.2 or 1.3", limit.flag, limit.value)
		}
		*limit.field = version
	}
	if least == "1.3" && most == "1.2" {
		return usageError("--tls-min is above --tls-max: lower --tls-min")
	}
	return nil
}
