package saslldap_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestDialDomain finds the server by the SRV records of a domain, and binds over both
// kinds of TLS. The client does not believe the DNS about a server with a certificate
// for its own name, also of one below the domain (RFC 4513 s3.1.3).
func TestDialDomain(t *testing.T) {
	for name, row := range map[string]struct {
		certificate string
		service     string // of the record
		accept      string // the host that AcceptHost accepts
		verified    string
		class       sasl.Class
	}{
		"ldaps":                     {"example.org", "ldaps", "", "example.org", ""},
		"ldap":                      {"example.org", "ldap", "", "example.org", ""},
		"for the server":            {host, "ldaps", "", "", sasl.ErrSecurity},
		"for the server, accepted":  {host, "ldap", host, host, ""},
		"for the server, ldaps too": {host, "ldaps", host, host, ""},
	} {
		t.Run(name, func(t *testing.T) {
			certificate, pool := sasltest.Certificate(t, row.certificate)
			address := sasltest.Listen(t, func(conn net.Conn) {
				defer conn.Close()
				if row.service == "ldap" {
					if readStartTLS(conn) != nil {
						return
					}
					io.WriteString(conn, startTLSResponse)
				}
				bindable(tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}}))
			})
			_, text, _ := net.SplitHostPort(address)
			port, err := strconv.ParseUint(text, 10, 16)
			if err != nil {
				t.Fatal(err)
			}
			client, err := saslldap.DialDomain(t.Context(), "example.org", &saslldap.Options{
				TLSConfig: &tls.Config{RootCAs: pool}, StepTimeout: 5 * time.Second,
				Resolver:   sasltest.Resolver(t, map[string][]*net.SRV{"_" + row.service + "._tcp.example.org": {{Port: uint16(port), Target: host + "."}}}),
				AcceptHost: func(_ context.Context, _, name string) bool { return name == row.accept },
			})
			if sasl.ClassOf(err) != row.class || errors.As(err, new(*transport.HostError)) != (row.class != "") {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			defer client.Close()
			info, err := client.ServerInfo(t.Context())
			if err != nil || info.Host != row.verified || !info.Secure {
				t.Errorf("%+v, %v", info, err)
			}
		})
	}
}

// TestDialDomainFallback: a domain without records is its own server, at port 389, and a
// domain that says that it has no server is not connected to.
func TestDialDomainFallback(t *testing.T) {
	resolver := sasltest.Resolver(t, map[string][]*net.SRV{"_ldap._tcp.example.com": {{Target: "."}}, "_ldaps._tcp.example.com": {{Target: "."}}})
	for domain, want := range map[string]string{
		"example.org": "example.org:389", "192.0.2.1": "192.0.2.1:389", "[2001:db8::1]": "[2001:db8::1]:389", "example.com": "",
	} {
		dialled := ""
		_, err := saslldap.DialDomain(t.Context(), domain, &saslldap.Options{Resolver: resolver, DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled += address
			return nil, errors.New("refused")
		}})
		if dialled != want || !errors.Is(err, sasl.ErrConnection) || errors.Is(err, transport.ErrNoServer) != (want == "") {
			t.Errorf("%s: dialled %q, %v", domain, dialled, err)
		}
	}
}

// TestDialDomainWithoutTLS: without a certificate the name of the server counts only if
// AcceptHost accepts it. Kerberos makes the service principal of that name.
func TestDialDomainWithoutTLS(t *testing.T) {
	address := sasltest.Listen(t, func(conn net.Conn) { bindable(conn) })
	_, text, _ := net.SplitHostPort(address)
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	resolver := sasltest.Resolver(t, map[string][]*net.SRV{"_ldap._tcp.example.org": {{Port: uint16(port), Target: host + "."}}})
	for want, accept := range map[string]func(context.Context, string, string) bool{
		"example.org": func(context.Context, string, string) bool { return false },
		host:          func(_ context.Context, domain, name string) bool { return domain == "example.org" && name == host },
	} {
		client, err := saslldap.DialDomain(t.Context(), "example.org", &saslldap.Options{Resolver: resolver, NoStartTLS: true, AcceptHost: accept, StepTimeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		info, err := client.ServerInfo(t.Context())
		if err != nil || info.Host != want || info.Secure {
			t.Errorf("%+v, %v, want %s", info, err, want)
		}
		client.Close()
	}
}
