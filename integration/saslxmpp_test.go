package integration

import (
	"crypto/tls"
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// xmppCost is how many round trips a mechanism takes, and which types of
// binding there are for it.
func xmppCost(mechanism string, version uint16) (roundTrips int, types []string) {
	switch {
	case mechanism == "PLAIN":
		return 1, []string{""}
	case !strings.HasSuffix(mechanism, "-PLUS"):
		return 2, []string{""}
	case version == tls.VersionTLS12:
		return 2, []string{"tls-unique", "tls-server-end-point"}
	}
	return 2, []string{"tls-exporter", "tls-server-end-point"}
}

// TestSASLXMPPEveryMechanism: what Prosody offers, each by itself, with every
// binding that there is.
func TestSASLXMPPEveryMechanism(t *testing.T) {
	t.Parallel()
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		for _, domain := range []string{srv.Host, harness.XMPPSHA256, harness.XMPPSHA1} {
			for _, m := range []sasl.Mechanism{
				sasl.Plain(alice), sasl.SCRAM(sasl.SHA1, alice), sasl.SCRAM(sasl.SHA256, alice),
				sasl.SCRAMPlus(sasl.SHA1, alice), sasl.SCRAMPlus(sasl.SHA256, alice),
			} {
				if domain == harness.XMPPSHA1 && strings.Contains(m.Name(), "SHA-256") || domain == harness.XMPPSHA256 && strings.Contains(m.Name(), "SHA-1") {
					continue
				}
				roundTrips, types := xmppCost(m.Name(), version)
				for _, binding := range types {
					l := &xmppLogin{address: "alice@" + domain, config: xmppConfig(srv, version), direct: direct}
					l.login.Client = &sasl.Client{Mechanisms: []sasl.Mechanism{m}, BindingTypes: []string{binding}}
					session, outcome, err := l.run(t.Context(), t, srv)
					if err != nil {
						t.Errorf("%s %s %s: %v", domain, m.Name(), binding, err)
						continue
					}
					want := sasl.Result{Mechanism: m.Name(), Binding: binding, Username: "alice", RoundTrips: roundTrips}
					if outcome.Result != want || !outcome.SASL2 || outcome.Address.String() != l.address {
						t.Errorf("%s: %+v, want %+v", domain, outcome, want)
					}
					chats(t, session)
				}
			}
		}
	})
}

// TestSASLXMPPAutomatic: the Client of the README takes the strongest.
func TestSASLXMPPAutomatic(t *testing.T) {
	t.Parallel()
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		l := &xmppLogin{address: "alice@" + srv.Host, config: xmppConfig(srv, version), direct: direct}
		l.login.Client = &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}
		l.login.BindTag = "saslkit"
		session, outcome, err := l.run(t.Context(), t, srv)
		if err != nil {
			t.Fatal(err)
		}
		want := sasl.Result{Mechanism: "SCRAM-SHA-256-PLUS", Binding: dovecotBinding(version), Username: "alice", RoundTrips: 2}
		if outcome.Result != want {
			t.Errorf("%+v, want %+v", outcome.Result, want)
		}
		if !strings.HasPrefix(session.LocalAddr().Resourcepart(), "saslkit~") {
			t.Errorf("bound to %v", session.LocalAddr())
		}
		chats(t, session)
	})
}

// TestSASLXMPPAnonymous: the server chooses the address.
func TestSASLXMPPAnonymous(t *testing.T) {
	t.Parallel()
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		l := &xmppLogin{address: harness.XMPPAnonymous, config: xmppConfig(srv, version), direct: direct}
		l.login.Client = &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Anonymous("")}}
		session, outcome, err := l.run(t.Context(), t, srv)
		if err != nil {
			t.Fatal(err)
		}
		if outcome.Address.Localpart() == "" || session.LocalAddr().Localpart() != outcome.Address.Localpart() {
			t.Errorf("%+v as %v", outcome, session.LocalAddr())
		}
		chats(t, session)
	})
}

// TestSASLXMPPExternal: the address is in the certificate.
func TestSASLXMPPExternal(t *testing.T) {
	t.Parallel()
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		address := "alice@" + harness.XMPPCertificate
		certificate := srv.PKI.XMPPCert(address)
		for name, m := range map[string]sasl.Mechanism{
			"no authzid":  sasl.External(""),
			"authzid":     sasl.External(address),
			"by XEP-0178": saslxmpp.External(certificate.Leaf, jid.MustParse(address)),
		} {
			l := &xmppLogin{address: address, config: xmppConfig(srv, version), direct: direct}
			l.config.Certificates = []tls.Certificate{certificate}
			l.login.Client = &sasl.Client{Mechanisms: []sasl.Mechanism{m}}
			session, outcome, err := l.run(t.Context(), t, srv)
			if err != nil || outcome.RoundTrips != 1 {
				t.Errorf("%s: %+v, %v", name, outcome, err)
				continue
			}
			chats(t, session)
		}
	})
}

// TestSASLXMPPSASL1 logs in by the profile of RFC 6120.
func TestSASLXMPPSASL1(t *testing.T) {
	t.Parallel()
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		for _, m := range []sasl.Mechanism{
			sasl.Plain(alice), sasl.SCRAM(sasl.SHA1, alice), sasl.SCRAM(sasl.SHA256, alice),
			sasl.SCRAMPlus(sasl.SHA1, alice), sasl.SCRAMPlus(sasl.SHA256, alice),
		} {
			roundTrips, types := xmppCost(m.Name(), version)
			for _, binding := range types {
				l := &xmppLogin{address: "alice@" + harness.XMPPSASL1, config: xmppConfig(srv, version), direct: direct}
				l.login.Client = &sasl.Client{Mechanisms: []sasl.Mechanism{m}, BindingTypes: []string{binding}}
				session, outcome, err := l.run(t.Context(), t, srv)
				if err != nil {
					t.Errorf("%s %s: %v", m.Name(), binding, err)
					continue
				}
				want := sasl.Result{Mechanism: m.Name(), Binding: binding, Username: "alice", RoundTrips: roundTrips}
				if outcome.Result != want || outcome.SASL2 || session.LocalAddr().Bare().String() != l.address {
					t.Errorf("%+v as %v, want %+v", outcome, session.LocalAddr(), want)
				}
				chats(t, session)
			}
		}
	})
}
