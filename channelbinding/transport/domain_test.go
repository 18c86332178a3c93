package transport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// serveTLS returns the port of a server with TLS, and the authority of its
// certificate.
func serveTLS(t *testing.T, name string) (port uint16, pool *x509.CertPool) {
	certificate, pool := sasltest.Certificate(t, name)
	address := sasltest.Listen(t, func(conn net.Conn) {
		defer conn.Close()
		tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}}).HandshakeContext(t.Context())
	})
	_, text, _ := net.SplitHostPort(address)
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(number), pool
}

// TestDialDomain shows under which name a server is accepted, and about which servers
// AcceptHost is asked.
func TestDialDomain(t *testing.T) {
	for name, row := range map[string]struct {
		host        string // of the SRV record
		certificate string // its name
		services    transport.Services
		accept      string // the host that AcceptHost accepts
		asked       string
		verified    string // the names that are verified, one after another
		fails       bool
		hostError   bool
	}{
		"below the domain":              {"mail.example.org.", "mail.example.org", mail, "", "", "mail.example.org", false, false},
		"below, in another case":        {"Mail.Example.ORG.", "mail.example.org", mail, "", "", "Mail.Example.ORG", false, false},
		"below, for the domain":         {"mail.example.org.", "example.org", mail, "", "", "mail.example.org example.org", false, false},
		"below, for another":            {"mail.example.org.", "mail.example.net", mail, "mail.example.org", "", "mail.example.org", true, false},
		"the domain itself":             {"example.org.", "example.org", mail, "", "", "example.org", false, false},
		"elsewhere, for the domain":     {"mx.example.net.", "example.org", mail, "", "", "example.org", false, false},
		"elsewhere":                     {"mx.example.net.", "mx.example.net", mail, "", "mx.example.net for example.org", "example.org", true, true},
		"elsewhere, accepted":           {"mx.example.net.", "mx.example.net", mail, "mx.example.net", "mx.example.net for example.org", "example.org mx.example.net", false, false},
		"elsewhere, for another":        {"mx.example.net.", "example.com", mail, "mx.example.net", "", "example.org", true, false},
		"it only looks like below":      {"myexample.org.", "myexample.org", mail, "", "myexample.org for example.org", "example.org", true, true},
		"below, in LDAP":                {"dc.example.org.", "dc.example.org", ldap, "", "dc.example.org for example.org", "example.org", true, true},
		"below, in LDAP, accepted":      {"dc.example.org.", "dc.example.org", ldap, "dc.example.org", "dc.example.org for example.org", "example.org dc.example.org", false, false},
		"below, in LDAP for the domain": {"dc.example.org.", "example.org", ldap, "", "", "example.org", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			port, pool := serveTLS(t, row.certificate)
			records := zone{row.services.Direct: {srv(0, 0, port, row.host)}}
			asked, verified := "", []string{}
			d := transport.Dialer{
				Resolver: records.resolver(t), TLSConfig: &tls.Config{RootCAs: pool},
				AcceptHost: func(_ context.Context, domain, host string) bool {
					asked += host + " for " + domain
					return host == row.accept
				},
			}
			conn, err := dial(t.Context(), d, row.services, &verified)
			if got := strings.Join(verified, " "); asked != row.asked || got != row.verified || (err != nil) != row.fails || (conn != nil) == row.fails {
				t.Errorf("asked %q, verified %q, %v", asked, got, err)
			}
			var host *transport.HostError
			var step *transport.StepError
			if errors.As(err, &host) != row.hostError || row.fails && (sasl.ClassOf(err) != sasl.ErrSecurity || !errors.As(err, &step) || step.Step != "handshake") {
				t.Errorf("%v", err)
			}
			if host != nil && (host.Domain != "example.org" || host.Host != strings.TrimSuffix(row.host, ".")) {
				t.Errorf("%+v", host)
			}
		})
	}
}

// dial is DialDomain for example.org with a handshake, which appends to the names that
// are verified. The final dot of the domain is not a part of the name.
func dial(ctx context.Context, d transport.Dialer, services transport.Services, verified *[]string) (net.Conn, error) {
	return transport.DialDomain(ctx, d, "example.org.", services, func(ctx context.Context, name string, target transport.Target) (net.Conn, error) {
		*verified = append(*verified, name)
		conn, err := d.Dial(ctx, target.Host, target.Port)
		if err != nil {
			return nil, err
		}
		secured, err := d.Secure(ctx, conn, name, "", false)
		if err != nil {
			return nil, err
		}
		return secured, nil
	})
}

// TestAcceptHostIsCareful: nobody is asked about a server that is not verified under
// its own name either, or if the caller names the server. Without an AcceptHost the
// answer is no.
func TestAcceptHostIsCareful(t *testing.T) {
	port, pool := serveTLS(t, "mx.example.net")
	_, stranger := sasltest.Certificate(t, "mx.example.net")
	records := zone{"imaps": {srv(0, 0, port, "mx.example.net.")}}.resolver(t)
	asked := false
	later := func() time.Time { return time.Now().AddDate(100, 0, 0) }
	accept := func(context.Context, string, string) bool { asked = true; return true }
	refuse := func(state tls.ConnectionState) error {
		return &tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: state.PeerCertificates[0], Host: "example.org"}}
	}
	for name, row := range map[string]struct {
		dialer   transport.Dialer
		host     bool // a HostError
		name     bool // an x509.HostnameError
		class    sasl.Class
		verified int
	}{
		"unknown authority":      {transport.Dialer{TLSConfig: &tls.Config{RootCAs: stranger}, AcceptHost: accept}, false, false, sasl.ErrSecurity, 1},
		"expired":                {transport.Dialer{TLSConfig: &tls.Config{RootCAs: pool, Time: later}, AcceptHost: accept}, false, false, sasl.ErrSecurity, 1},
		"another ServerName":     {transport.Dialer{TLSConfig: &tls.Config{RootCAs: pool, ServerName: "a.example"}, AcceptHost: accept}, false, true, sasl.ErrSecurity, 1},
		"the name as ServerName": {transport.Dialer{TLSConfig: &tls.Config{RootCAs: pool, ServerName: "mx.example.net"}, AcceptHost: accept}, false, false, "", 1},
		"nobody to ask":          {transport.Dialer{TLSConfig: &tls.Config{RootCAs: pool}}, true, false, sasl.ErrSecurity, 1},
		"an error of a callback": {transport.Dialer{TLSConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: refuse}, AcceptHost: accept}, false, true, sasl.ErrSecurity, 1},
		"another address":        {transport.Dialer{TLSConfig: &tls.Config{RootCAs: pool}, Address: "127.0.0.1:993"}, false, false, sasl.ErrConfig, 0},
	} {
		verified := []string{}
		row.dialer.Resolver = records
		_, err := dial(t.Context(), row.dialer, mail, &verified)
		if errors.As(err, new(x509.HostnameError)) != row.name {
			t.Errorf("%s: %v is about a name: %t", name, err, !row.name)
		}
		if asked || sasl.ClassOf(err) != row.class || errors.As(err, new(*transport.HostError)) != row.host || len(verified) != row.verified {
			t.Errorf("%s: asked %t, verified %s, %v", name, asked, verified, err)
		}
	}
}
