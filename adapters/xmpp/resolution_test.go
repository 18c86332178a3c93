package saslxmpp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// resolver answers with SRV records for ports on localhost, by service.
func resolver(t *testing.T, ports map[string]int) *net.Resolver {
	t.Helper()
	zone := map[string][]*net.SRV{}
	for service, port := range ports {
		zone[service] = []*net.SRV{{Port: uint16(port), Target: "localhost."}}
	}
	return resolverOf(t, zone)
}

// resolverOf answers with these records by service, for each domain of the tests. A
// nil list is SERVFAIL.
func resolverOf(t *testing.T, zone map[string][]*net.SRV) *net.Resolver {
	t.Helper()
	full := map[string][]*net.SRV{}
	for service, records := range zone {
		for _, domain := range []string{"example.org", "example.net", "xn--bcher-kva.example"} {
			full[service+"._tcp."+domain] = records
		}
	}
	return sasltest.Resolver(t, full)
}

// srv is a record of a host.
func srv(priority, weight, port uint16, host string) *net.SRV {
	return &net.SRV{Priority: priority, Weight: weight, Port: port, Target: host}
}

// TestResolution: Dial tries the servers of the records that the option TLS admits, in
// their order.
func TestResolution(t *testing.T) {
	many := []*net.SRV{}
	for i := range uint16(10) {
		many = append(many, srv(i, 0, 5222, fmt.Sprintf("h%d.example.", i)))
	}
	mixed := map[string][]*net.SRV{
		"_xmpp-client":  {srv(1, 0, 5222, "b.example."), srv(3, 9, 5222, "d.example.")},
		"_xmpps-client": {srv(2, 0, 443, "c.example."), srv(0, 0, 443, "a.example."), srv(3, 0, 443, "e.example.")},
	}
	absent := []*net.SRV{srv(0, 0, 0, ".")}
	type zone = map[string][]*net.SRV
	for name, row := range map[string]struct {
		domain string
		start  saslxmpp.TLSStart
		zone   zone
		want   string
	}{
		"both services, by priority and weight": {"example.org", saslxmpp.AnyTLS, mixed, "a.example:443 b.example:5222 c.example:443 d.example:5222 e.example:443"},
		"direct TLS only":                       {"example.org", saslxmpp.DirectTLS, mixed, "a.example:443 c.example:443 e.example:443"},
		"STARTTLS only":                         {"example.org", saslxmpp.StartTLS, mixed, "b.example:5222 d.example:5222"},
		"no TLS":                                {"example.org", saslxmpp.NoTLS, mixed, "b.example:5222 d.example:5222"},
		"the weight counts":                     {"example.org", saslxmpp.StartTLS, zone{"_xmpp-client": {srv(0, 0, 1, "a.example."), srv(0, 5, 2, "b.example.")}}, "b.example:2 a.example:1"},
		"no records":                            {"example.org", saslxmpp.AnyTLS, nil, "example.org:5222"},
		"no records, direct TLS":                {"example.org", saslxmpp.DirectTLS, nil, "example.org:5223"},
		"no records for STARTTLS":               {"example.org", saslxmpp.AnyTLS, zone{"_xmpps-client": {srv(0, 0, 443, "a.example.")}}, "a.example:443"},
		"not offered":                           {"example.org", saslxmpp.AnyTLS, zone{"_xmpp-client": absent, "_xmpps-client": absent}, ""},
		"not offered with STARTTLS":             {"example.org", saslxmpp.AnyTLS, zone{"_xmpp-client": absent}, ""},
		"not offered with direct TLS":           {"example.org", saslxmpp.AnyTLS, zone{"_xmpps-client": absent}, "example.org:5222"},
		"no answer of the DNS":                  {"example.org", saslxmpp.StartTLS, zone{"_xmpp-client": nil}, ""},
		"no answer about direct TLS":            {"example.org", saslxmpp.AnyTLS, zone{"_xmpps-client": nil, "_xmpp-client": {srv(0, 0, 1, "a.example.")}}, "a.example:1"},
		"too many":                              {"example.org", saslxmpp.StartTLS, zone{"_xmpp-client": many}, "h0.example:5222 h1.example:5222 h2.example:5222 h3.example:5222 h4.example:5222 h5.example:5222 h6.example:5222 h7.example:5222"},
		"an address of IPv4":                    {"192.0.2.1", saslxmpp.AnyTLS, mixed, "192.0.2.1:5222"},
		"an address of IPv6":                    {"[2001:db8::1]", saslxmpp.AnyTLS, mixed, "[2001:db8::1]:5222"},
		"an international domain":               {"b\u00fccher.example", saslxmpp.AnyTLS, nil, "xn--bcher-kva.example:5222"},
	} {
		t.Run(name, func(t *testing.T) {
			var tried []string
			refused := errors.New("refused")
			login := &saslxmpp.Login{TLS: row.start, Resolver: resolverOf(t, row.zone), DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
				tried = append(tried, address)
				return nil, refused
			}}
			_, _, err := login.Dial(t.Context(), jid.MustParse("user@"+row.domain))
			if got := strings.Join(tried, " "); got != row.want {
				t.Errorf("tried %s, want %s", got, row.want)
			}
			var step *transport.StepError
			if !errors.Is(err, sasl.ErrConnection) || !errors.As(err, &step) || step.Step != "dial" || errors.Is(err, refused) != (row.want != "") {
				t.Errorf("%v", err)
			}
			if row.want == "" && step.Address != row.domain {
				t.Errorf("%v: no address", err)
			}
		})
	}
}

// TestWeights: each of two records of equal weight comes first some time, also if the
// records are of two services (XEP-0368 s3).
func TestWeights(t *testing.T) {
	login := &saslxmpp.Login{Resolver: resolverOf(t, map[string][]*net.SRV{
		"_xmpp-client":  {srv(0, 1, 5222, "a.example.")},
		"_xmpps-client": {srv(0, 1, 443, "b.example.")},
	})}
	var first []string
	for len(first) < 200 && !(slices.Contains(first, "a.example:5222") && slices.Contains(first, "b.example:443")) {
		var tried []string
		login.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
			tried = append(tried, address)
			return nil, errors.New("refused")
		}
		login.Dial(t.Context(), jid.MustParse("user@example.org"))
		if len(tried) != 2 {
			t.Fatalf("tried %s", tried)
		}
		first = append(first, tried[0])
	}
	if len(first) == 200 {
		t.Errorf("always %s first", first[0])
	}
}

// TestWorstError: if no server is reached, a certificate that was not accepted is
// the error, not that of the server that was tried last.
func TestWorstError(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	login := &saslxmpp.Login{Resolver: resolver(t, map[string]int{"_xmpps-client": server.listen(t, true), "_xmpp-client": 1})}
	_, _, err := login.Dial(t.Context(), jid.MustParse(address))
	var step *transport.StepError
	if !errors.Is(err, sasl.ErrSecurity) || !errors.As(err, new(*tls.CertificateVerificationError)) || !errors.As(err, &step) || step.Step != "handshake" {
		t.Error(err)
	}
}
