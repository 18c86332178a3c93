package integration

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/saslkit/saslkit/integration/internal/harness"

	sasl "github.com/saslkit/saslkit/core"
)

// TestSASLXMPPWrongPort: the other kind of TLS than that of the port is an error at
// once, which names the right one.
func TestSASLXMPPWrongPort(t *testing.T) {
	t.Parallel()
	srv := harness.Prosody(t)
	for _, row := range []struct {
		direct bool
		server string
		want   string
	}{
		{false, srv.Direct, "connect with direct TLS"},
		{true, srv.STARTTLS, "connect with STARTTLS"},
	} {
		l := &xmppLogin{address: "alice@prosody.test", config: xmppConfig(srv, tls.VersionTLS13), direct: row.direct, server: row.server}
		l.login.Client = &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}
		begun := time.Now()
		if _, _, err := l.run(t.Context(), t, srv); err == nil || !strings.Contains(err.Error(), row.want) || time.Since(begun) > 5*time.Second {
			t.Errorf("direct %t: %v after %s", row.direct, err, time.Since(begun))
		}
	}
}

// TestSASLXMPPAnonymousAsSomebody: a client without an identity claims an address, and
// the server assigns another one.
func TestSASLXMPPAnonymousAsSomebody(t *testing.T) {
	t.Parallel()
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		l := &xmppLogin{address: "alice@" + harness.XMPPAnonymous, config: xmppConfig(srv, version), direct: direct}
		l.login.Client = &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Anonymous("")}}
		session, outcome, err := l.run(t.Context(), t, srv)
		if err != nil {
			t.Fatal(err)
		}
		if local := session.LocalAddr().Localpart(); local == "alice" || local == "" || outcome.Address.Localpart() != local {
			t.Errorf("%+v as %v", outcome, session.LocalAddr())
		}
	})
}
