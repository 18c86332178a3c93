package saslimap

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"testing"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestDialDomain finds the server by the SRV records of a domain, and logs in over both
// kinds of TLS, in a connection that is Secure under the name of the server. The client
// does not believe the DNS about a server elsewhere.
func TestDialDomain(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	record := func(address string) []*net.SRV {
		_, text, _ := net.SplitHostPort(address)
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		return []*net.SRV{{Port: uint16(port), Target: host + "."}}
	}
	resolver := sasltest.Resolver(t, map[string][]*net.SRV{
		"_imaps._tcp.example.org": record(server.implicit), "_imap._tcp.example.org": {{Port: 1, Target: "mail.example.org."}},
		"_imaps._tcp.example.net": {{Port: 1, Target: host + "."}}, "_imap._tcp.example.net": record(server.startTLS),
		"_imaps._tcp.example.com": {{Target: "."}},
	})
	accept := func(_ context.Context, domain, name string) bool { return domain == "example.net" && name == host }
	for _, row := range []struct {
		domain  string
		accept  func(context.Context, string, string) bool
		found   string // the services of the servers that were tried
		class   sasl.Class
		forged  bool
		nothing bool
	}{
		{"example.org", nil, "imaps ", "", false, false},
		{"example.net", accept, "imaps imap ", "", false, false},
		{"example.net", nil, "imaps imap ", sasl.ErrSecurity, true, false},
		{"example.com", nil, "", sasl.ErrConnection, false, true},
		{"no-such.example", nil, "", sasl.ErrConnection, false, true},
		{"example.org:993", nil, "", sasl.ErrConfig, false, false},
	} {
		found := ""
		conn, err := DialDomain(t.Context(), row.domain, &Options{
			TLSConfig: &tls.Config{RootCAs: server.client.RootCAs}, Resolver: resolver, AcceptHost: row.accept,
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
		receive(t, server.logins)
		conn.Close()
	}
}
