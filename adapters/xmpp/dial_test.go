package saslxmpp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// listen serves a port, with TLS from the first octet or with STARTTLS, and returns
// the port.
func (l *loopback) listen(t *testing.T, direct bool) (port int) {
	t.Helper()
	address := sasltest.Listen(t, func(conn net.Conn) {
		if direct {
			conn = tls.Server(conn, l.config)
		}
		l.domain.Accept(context.Background(), conn)
	})
	_, text, _ := net.SplitHostPort(address)
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestDial finds servers by their SRV records, and verifies the domain, not the
// name of the server.
func TestDial(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	direct, startTLS := server.listen(t, true), server.listen(t, false)
	for name, ports := range map[string]map[string]int{
		"direct":          {"_xmpps-client": direct, "_xmpp-client": 1},
		"STARTTLS":        {"_xmpps-client": 1, "_xmpp-client": startTLS},
		"direct is wrong": {"_xmpps-client": startTLS, "_xmpp-client": startTLS},
	} {
		login := &saslxmpp.Login{
			Client:    &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)},
			TLSConfig: &tls.Config{RootCAs: server.pool},
			Resolver:  resolver(t, ports),
		}
		session, outcome, err := login.Dial(t.Context(), jid.MustParse(address))
		if err != nil || outcome.Mechanism != "SCRAM-SHA-512-PLUS" || session.State()&xmpp.Authn == 0 {
			t.Errorf("%s: %+v, %v", name, outcome, err)
			continue
		}
		state := session.ConnectionState() // XEP-0368 s4: direct TLS has ALPN
		if want := map[bool]string{true: "xmpp-client"}[name == "direct"]; state.NegotiatedProtocol != want {
			t.Errorf("%s: ALPN %q, want %q", name, state.NegotiatedProtocol, want)
		}
		session.Conn().Close()
	}
}

// TestInternationalDomain: a certificate has the ASCII form of a domain.
func TestInternationalDomain(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	certificate, pool := sasltest.Certificate(t, "xn--bcher-kva.example")
	server.config.Certificates = []tls.Certificate{certificate}
	server.domain.Name = jid.MustParse("b\u00fccher.example")
	for name, ports := range map[string]map[string]int{
		"direct":   {"_xmpps-client": server.listen(t, true), "_xmpp-client": 1},
		"STARTTLS": {"_xmpps-client": 1, "_xmpp-client": server.listen(t, false)},
	} {
		login := &saslxmpp.Login{
			Client:    &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)},
			TLSConfig: &tls.Config{RootCAs: pool},
			Resolver:  resolver(t, ports),
		}
		session, _, err := login.Dial(t.Context(), jid.MustParse("user@b\u00fccher.example"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := session.LocalAddr().Bare().String(); got != "user@b\u00fccher.example" {
			t.Errorf("%s: as %s", name, got)
		}
		session.Conn().Close()
	}
}

// TestDialFails: each failure has its class.
func TestDialFails(t *testing.T) {
	soon, stop := context.WithTimeout(t.Context(), 8*time.Second)
	defer stop()
	server := serve(t, sasltest.AllMechanisms())
	startTLS := server.listen(t, false)
	_, stranger := sasltest.Certificate(t, host)
	client := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}
	for _, row := range []struct {
		name    string
		address string
		config  *tls.Config
		ports   map[string]int
		class   sasl.Class
	}{
		{"nothing listens", address, &tls.Config{RootCAs: server.pool}, map[string]int{"_xmpps-client": 1, "_xmpp-client": 1}, sasl.ErrConnection},
		{"not trusted", address, &tls.Config{RootCAs: stranger}, map[string]int{"_xmpps-client": 1, "_xmpp-client": startTLS}, sasl.ErrSecurity},
		{"another domain", "user@example.net", &tls.Config{RootCAs: server.pool}, map[string]int{"_xmpps-client": 1, "_xmpp-client": startTLS}, sasl.ErrSecurity},
		{"not verified", address, &tls.Config{InsecureSkipVerify: true}, map[string]int{"_xmpps-client": 1, "_xmpp-client": startTLS}, sasl.ErrPolicy},
	} {
		login := &saslxmpp.Login{Client: client, TLSConfig: row.config, Resolver: resolver(t, row.ports)}
		if session, outcome, err := login.Dial(soon, jid.MustParse(row.address)); sasl.ClassOf(err) != row.class || session != nil || outcome.Mechanism != "" {
			t.Errorf("%s: %v, want %s", row.name, err, row.class)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	login := &saslxmpp.Login{Client: client, Resolver: resolver(t, nil)}
	if _, _, err := login.Dial(ended, jid.MustParse(address)); !errors.Is(err, context.Canceled) || !errors.Is(err, sasl.ErrConnection) {
		t.Errorf("cancelled: %v", err)
	}
	near, _ := sasltest.Pair(t)
	if _, _, err := login.NewSession(soon, jid.JID{}, near); !errors.Is(err, sasl.ErrConfig) {
		t.Errorf("no address: %v", err)
	}
}

// local is an address on this machine.
func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
