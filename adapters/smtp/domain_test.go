package saslsmtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestDialDomain finds the server by the SRV records of a domain, and logs in over both
// kinds of TLS, in a connection that is Secure under the name of the server. The client
// does not believe the DNS about a server elsewhere.
func TestDialDomain(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	record := func(address string) []*net.SRV {
		_, text, _ := net.SplitHostPort(address)
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		return []*net.SRV{{Port: uint16(port), Target: smtptest.Host + "."}}
	}
	resolver := sasltest.Resolver(t, map[string][]*net.SRV{
		"_submissions._tcp.example.org": record(server.Implicit), "_submission._tcp.example.org": {{Port: 1, Target: "mail.example.org."}},
		"_submissions._tcp.example.net": {{Port: 1, Target: smtptest.Host + "."}}, "_submission._tcp.example.net": record(server.StartTLS),
		"_submissions._tcp.example.com": {{Target: "."}},
	})
	accept := func(_ context.Context, domain, host string) bool {
		return domain == "example.net" && host == smtptest.Host
	}
	for _, row := range []struct {
		domain  string
		accept  func(context.Context, string, string) bool
		found   string // the services of the servers that were tried
		class   sasl.Class
		forged  bool
		nothing bool
	}{
		{"example.org", nil, "submissions ", "", false, false},
		{"example.net", accept, "submissions submission ", "", false, false},
		{"example.net", nil, "submissions submission ", sasl.ErrSecurity, true, false},
		{"example.com", nil, "", sasl.ErrConnection, false, true},
		{"no-such.example", nil, "", sasl.ErrConnection, false, true},
		{"example.org:993", nil, "", sasl.ErrConfig, false, false},
	} {
		found := ""
		conn, err := saslsmtp.DialDomain(t.Context(), row.domain, &saslsmtp.Options{
			TLSConfig: &tls.Config{RootCAs: server.Client.RootCAs}, Resolver: resolver, AcceptHost: row.accept, StepTimeout: 5 * time.Second,
			Found: func(target transport.Target) { found += target.Service + " " },
		})
		if sasl.ClassOf(err) != row.class || found != row.found || errors.As(err, new(*transport.HostError)) != row.forged || errors.Is(err, transport.ErrNoServer) != row.nothing {
			t.Errorf("%s: found %q, %v", row.domain, found, err)
		}
		if err != nil {
			continue
		}
		result, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(credentials)}})
		if info := conn.ServerInfo(); err != nil || result.Username != "user" || !info.Secure || info.Host != "mail.example.org" {
			t.Errorf("%s: %+v, %v, at %s", row.domain, result, err, info.Host)
		}
		if err == nil {
			<-server.Logins
		}
		conn.Close()
	}
}
