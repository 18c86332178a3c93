package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// zone has SRV records by the name of their service, in the domain example.org.
type zone map[string][]*net.SRV

func (z zone) resolver(t *testing.T) *net.Resolver {
	full := map[string][]*net.SRV{}
	for service, records := range z {
		full["_"+service+"._tcp.example.org"] = records
	}
	return sasltest.Resolver(t, full)
}

// srv is a record.
func srv(priority, weight, port uint16, host string) *net.SRV {
	return &net.SRV{Priority: priority, Weight: weight, Port: port, Target: host}
}

var (
	mail   = transport.Services{Direct: "imaps", StartTLS: "imap", Below: true}
	ldap   = transport.Services{Direct: "ldaps", StartTLS: "ldap", Fallback: "389"}
	xmpp   = transport.Services{Direct: "xmpps-client", StartTLS: "xmpp-client", Fallback: "5222", Mixed: true}
	direct = transport.Services{Direct: "xmpps-client", Fallback: "5223", Mixed: true}
	absent = []*net.SRV{srv(0, 0, 0, ".")} // not at all
)

// TestServers shows which servers are tried for which records, in which order.
func TestServers(t *testing.T) {
	many := []*net.SRV{}
	for i := range uint16(10) {
		many = append(many, srv(i, 0, 143, fmt.Sprintf("h%d.example.", i)))
	}
	mixed := func(first, second string) zone {
		return zone{
			first:  {srv(2, 0, 443, "c.example."), srv(0, 0, 443, "a.example."), srv(3, 0, 443, "e.example.")},
			second: {srv(1, 0, 143, "b.example."), srv(3, 9, 143, "d.example.")},
		}
	}
	for name, row := range map[string]struct {
		domain   string
		services transport.Services
		zone     zone
		want     string // the servers, with ! for TLS from the first octet
		class    error
	}{
		"by priority, and TLS first":        {"example.org", mail, mixed("imaps", "imap"), "!a.example:443 b.example:143 !c.example:443 !e.example:443 d.example:143", nil},
		"by priority and weight":            {"example.org", xmpp, mixed("xmpps-client", "xmpp-client"), "!a.example:443 b.example:143 !c.example:443 d.example:143 !e.example:443", nil},
		"a final dot":                       {"example.org.", mail, zone{"imap": {srv(0, 0, 143, "a.example.")}}, "a.example:143", nil},
		"one service":                       {"example.org", direct, mixed("xmpps-client", "xmpp-client"), "!a.example:443 !c.example:443 !e.example:443", nil},
		"the weight counts":                 {"example.org", mail, zone{"imap": {srv(0, 0, 1, "a.example."), srv(0, 5, 2, "b.example.")}}, "b.example:2 a.example:1", nil},
		"too many":                          {"example.org", mail, zone{"imap": many}, "h0.example:143 h1.example:143 h2.example:143 h3.example:143 h4.example:143 h5.example:143 h6.example:143 h7.example:143", nil},
		"no records of mail":                {"example.org", mail, nil, "", transport.ErrNoServer},
		"no records of LDAP":                {"example.org", ldap, nil, "example.org:389", nil},
		"no records, direct TLS":            {"example.org", direct, nil, "!example.org:5223", nil},
		"no records of another domain":      {"example.net", mail, mixed("imaps", "imap"), "", transport.ErrNoServer},
		"not offered":                       {"example.org", ldap, zone{"ldaps": absent, "ldap": absent}, "", transport.ErrNoServer},
		"not offered with STARTTLS":         {"example.org", ldap, zone{"ldap": absent}, "", transport.ErrNoServer},
		"not offered with direct TLS":       {"example.org", ldap, zone{"ldaps": absent}, "example.org:389", nil},
		"one offered":                       {"example.org", mail, zone{"imap": absent, "imaps": {srv(0, 0, 993, "a.example.")}}, "!a.example:993", nil},
		"no answer":                         {"example.org", ldap, zone{"ldaps": nil, "ldap": nil}, "", sasl.ErrConnection},
		"no answer about STARTTLS":          {"example.org", ldap, zone{"ldap": nil}, "", sasl.ErrConnection},
		"no answer about direct TLS":        {"example.org", mail, zone{"imaps": nil}, "", sasl.ErrConnection},
		"no answer about one, and a server": {"example.org", mail, zone{"imaps": nil, "imap": {srv(0, 0, 1, "a.example.")}}, "a.example:1", nil},
		"one is invalid":                    {"example.org", mail, zone{"imap": {srv(0, 0, 1, "a b.example."), srv(1, 0, 2, "b.example.")}}, "b.example:2", nil},
		"all are invalid":                   {"example.org", mail, zone{"imap": {srv(0, 0, 1, "a b.example.")}}, "", sasl.ErrConnection},
		"an address of IPv4":                {"192.0.2.1", ldap, nil, "192.0.2.1:389", nil},
		"an address of IPv6":                {"[2001:db8::1]", xmpp, nil, "[2001:db8::1]:5222", nil},
		"an address, and mail":              {"192.0.2.1", mail, nil, "", transport.ErrNoServer},
		"a port":                            {"example.org:993", mail, nil, "", sasl.ErrConfig},
		"not in ASCII":                      {"b\u00fccher.example", ldap, nil, "", sasl.ErrConfig},
		"an empty label":                    {"example..org", ldap, nil, "", sasl.ErrConfig},
		"a dot":                             {".", ldap, nil, "", sasl.ErrConfig},
		"no domain":                         {"", ldap, nil, "", sasl.ErrConfig},
	} {
		t.Run(name, func(t *testing.T) {
			var tried []string
			refused := errors.New("refused")
			found := 0
			d := transport.Dialer{Resolver: row.zone.resolver(t), Found: func(transport.Target) { found++ }}
			_, err := transport.DialServers(t.Context(), d, row.domain, row.services, func(_ context.Context, target transport.Target) (net.Conn, error) {
				tried = append(tried, map[bool]string{true: "!"}[target.Direct]+target.Address())
				return nil, refused
			})
			if got := strings.Join(tried, " "); got != row.want || found != len(tried) {
				t.Errorf("tried %s, want %s; %d found", got, row.want, found)
			}
			if want := row.class; want != nil && (!errors.Is(err, want) || errors.Is(err, transport.ErrNoServer) != (want == transport.ErrNoServer)) || want == nil && err != refused {
				t.Errorf("%v, want %v", err, row.class)
			}
			var step *transport.StepError
			if errors.Is(err, sasl.ErrConnection) && (!errors.As(err, &step) || step.Step != "dial" || step.Address != row.domain) {
				t.Errorf("%v is not the error of the dial", err)
			}
		})
	}
}

// TestNoServerText: the error says why there is no server, and names the records.
func TestNoServerText(t *testing.T) {
	for want, records := range map[string]zone{
		"it has no SRV record _imaps._tcp or _imap._tcp": nil,
		"its SRV records say that there is none":         {"imap": absent, "imaps": absent},
	} {
		_, err := transport.DialServers(t.Context(), transport.Dialer{Resolver: records.resolver(t)}, "example.org", mail, func(context.Context, transport.Target) (net.Conn, error) { return nil, nil })
		want = "connection error: the DNS names no server of the domain for this protocol: " + want + " (step: dial, address: example.org)"
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestWeights: each of two records of equal weight comes first some time. In XMPP that
// holds for records of two services (XEP-0368 s3), and in mail TLS from the first octet
// comes first always (RFC 8314 s3).
func TestWeights(t *testing.T) {
	for name, row := range map[string]struct {
		services transport.Services
		zone     zone
		both     bool
	}{
		"one service":         {mail, zone{"imap": {srv(0, 1, 1, "a.example."), srv(0, 1, 2, "b.example.")}}, true},
		"two services, mixed": {xmpp, zone{"xmpp-client": {srv(0, 1, 1, "a.example.")}, "xmpps-client": {srv(0, 1, 2, "b.example.")}}, true},
		"two services":        {mail, zone{"imap": {srv(0, 9, 1, "a.example.")}, "imaps": {srv(0, 1, 2, "b.example.")}}, false},
	} {
		d := transport.Dialer{Resolver: row.zone.resolver(t)}
		first := []string{}
		for range 64 { // that one of the two is missing then has a probability of 2^-63
			transport.DialServers(t.Context(), d, "example.org", row.services, func(_ context.Context, target transport.Target) (net.Conn, error) {
				first = append(first, target.Host)
				return nil, nil
			})
		}
		if len(first) != 64 || !slices.Contains(first, "b.example") || slices.Contains(first, "a.example") != row.both {
			t.Errorf("%s: %s", name, first)
		}
	}
}

// TestServersInTurn: the first server that can be opened ends the search, and so do an
// ErrConfig and the end of the context. An ErrSecurity is not lost.
func TestServersInTurn(t *testing.T) {
	d := transport.Dialer{Resolver: zone{"imap": {srv(0, 0, 1, "a."), srv(1, 0, 2, "b."), srv(2, 0, 3, "c.")}}.resolver(t)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ending := fmt.Errorf("%w: ending", sasl.ErrConnection)
	for _, row := range []struct {
		errs  []error
		tried int
		want  error
	}{
		{[]error{sasl.ErrConnection, nil}, 2, nil},
		{[]error{sasl.ErrSecurity, sasl.ErrTemporary, nil}, 3, nil},
		{[]error{sasl.ErrConnection, sasl.ErrSecurity, sasl.ErrTemporary}, 3, sasl.ErrSecurity},
		{[]error{sasl.ErrSecurity, sasl.ErrConnection, sasl.ErrTemporary}, 3, sasl.ErrSecurity},
		{[]error{sasl.ErrSecurity, sasl.ErrConfig}, 2, sasl.ErrConfig},
		{[]error{sasl.ErrSecurity, ending}, 2, ending},
	} {
		tried := 0
		_, err := transport.DialServers(ctx, d, "example.org", mail, func(context.Context, transport.Target) (int, error) {
			tried++
			if row.errs[tried-1] == ending {
				cancel()
			}
			return tried, row.errs[tried-1]
		})
		if err != row.want || tried != row.tried {
			t.Errorf("%v: tried %d, %v", row.errs, tried, err)
		}
	}
}
