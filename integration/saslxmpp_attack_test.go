package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stream"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// throughXMPPMITM runs a test over both kinds and both versions of TLS, with a
// man in the middle who has a certificate that the client trusts.
func throughXMPPMITM(t *testing.T, domain string, fromServer func(string, bool) string, test func(t *testing.T, login func(*sasl.Client) (saslxmpp.Outcome, error))) {
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		server := srv.STARTTLS
		if direct {
			server = srv.Direct
		}
		upstream := xmppConfig(srv, version)
		upstream.ServerName = domain
		middle := harness.MITM{Server: server, Upstream: upstream, Cert: srv.PKI.ServerCert(domain), Implicit: direct, XMPP: true, FromServer: fromServer}.Start(t)
		test(t, func(auth *sasl.Client) (saslxmpp.Outcome, error) {
			l := &xmppLogin{address: "alice@" + domain, config: xmppConfig(srv, version), direct: direct, server: middle}
			l.login.Client = auth
			_, outcome, err := l.run(t.Context(), t, srv)
			return outcome, err
		})
	})
}

// TestSASLXMPPManInTheMiddle: without a binding the client cannot tell; bound,
// it does not get in.
func TestSASLXMPPManInTheMiddle(t *testing.T) {
	t.Parallel()
	throughXMPPMITM(t, "prosody.test", nil, func(t *testing.T, login func(*sasl.Client) (saslxmpp.Outcome, error)) {
		if _, err := login(&sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Binding: sasl.DisableBinding}); err != nil {
			t.Errorf("not bound: %v", err)
		}
		_, err := login(&sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
		if !errors.Is(err, sasl.ErrSecurity) || hints(err) != "binding" {
			t.Errorf("bound: %v", err)
		}
	})
}

// without removes elements from the octets of the server over TLS.
func without(elements ...string) func(string, bool) string {
	return func(text string, secured bool) string {
		if secured {
			for _, element := range elements {
				text = strings.ReplaceAll(text, element, "")
			}
		}
		return text
	}
}

// TestSASLXMPPStripped: lists that somebody cut, which the server confirms
// (XEP-0474) before the proof goes out, also to a client that does not bind.
func TestSASLXMPPStripped(t *testing.T) {
	t.Parallel()
	plus := []string{"<mechanism>SCRAM-SHA-1-PLUS</mechanism>", "<mechanism>SCRAM-SHA-256-PLUS</mechanism>"}
	bindings := []string{"<channel-binding type='tls-exporter'/>", "<channel-binding type='tls-unique'/>", "<channel-binding type='tls-server-end-point'/>"}
	all := sasl.PasswordMechanisms(alice)
	for name, row := range map[string]struct {
		cut    []string
		client sasl.Client
		says   string
	}{
		"mechanisms":              {plus, sasl.Client{Mechanisms: all}, "hint:proxy"},
		"a mechanism":             {plus[1:], sasl.Client{Mechanisms: all, Binding: sasl.DisableBinding}, "changed the lists"},
		"bindings":                {bindings, sasl.Client{Mechanisms: all, Binding: sasl.DisableBinding}, "changed the lists"},
		"bindings we have":        {bindings[:2], sasl.Client{Mechanisms: all, BindingTypes: []string{"tls-exporter", "tls-unique"}}, "changed the lists"},
		"mechanisms but required": {plus, sasl.Client{Mechanisms: all, Binding: sasl.RequireBinding}, "no mechanism is left"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			throughXMPPMITM(t, "prosody.test", without(row.cut...), func(t *testing.T, login func(*sasl.Client) (saslxmpp.Outcome, error)) {
				outcome, err := login(&row.client)
				if text := fmt.Sprintf("%v hint:%s", err, hints(err)); !errors.Is(err, sasl.ErrSecurity) || !strings.Contains(text, row.says) {
					t.Errorf("%+v, %v, want %q", outcome, err, row.says)
				}
			})
		})
	}
}

// TestSASLXMPPNothingOffered: somebody takes everything out of the list.
func TestSASLXMPPNothingOffered(t *testing.T) {
	t.Parallel()
	empty := func(text string, secured bool) string {
		if secured && strings.HasPrefix(text, "<stream:features") {
			return "<stream:features/>"
		}
		return text
	}
	throughXMPPMITM(t, "prosody.test", empty, func(t *testing.T, login func(*sasl.Client) (saslxmpp.Outcome, error)) {
		_, err := login(&sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
		if !errors.Is(err, sasl.ErrSecurity) || !strings.Contains(err.Error(), "the server offers no SASL, so the client cannot authenticate; the server offers: nothing") {
			t.Error(err)
		}
	})
}

// TestSASLXMPPWithoutTLS: STARTTLS is taken away, or the server's certificate
// is for another domain.
func TestSASLXMPPWithoutTLS(t *testing.T) {
	t.Parallel()
	srv := harness.Prosody(t)
	stripped := harness.MITM{
		Server: srv.STARTTLS, Upstream: xmppConfig(srv, tls.VersionTLS13), XMPP: true,
		FromServer: func(text string, _ bool) string {
			return strings.Replace(text, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "", 1)
		},
	}.Start(t)
	l := &xmppLogin{address: "alice@" + srv.Host, config: xmppConfig(srv, tls.VersionTLS13), server: stripped}
	l.login.Client = &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}
	if _, _, err := l.run(t.Context(), t, srv); !errors.Is(err, transport.ErrNoStartTLS) {
		t.Errorf("stripped: %v", err)
	}
	upstream := xmppConfig(srv, tls.VersionTLS13)
	upstream.ServerName = srv.Host
	other := harness.MITM{Server: srv.STARTTLS, Upstream: upstream, Cert: srv.PKI.ServerCert("other.test"), XMPP: true}.Start(t)
	l.server = other
	if _, _, err := l.run(t.Context(), t, srv); !errors.Is(err, sasl.ErrSecurity) || !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("another's certificate: %v", err)
	}
}

// TestSASLXMPPCancelled: the context ends at each step of the negotiation.
func TestSASLXMPPCancelled(t *testing.T) {
	t.Parallel()
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		for step := 0; ; step++ {
			ctx, cancel := context.WithCancel(t.Context())
			l := &xmppLogin{address: "alice@" + srv.Host, config: xmppConfig(srv, version), direct: direct}
			stalled := &stalling{left: step, cancel: cancel}
			login := &saslxmpp.Login{Client: &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}}
			conn := l.connect(t, srv)
			start := time.Now()
			_, err := xmpp.NewSession(ctx, jid.MustParse(srv.Host), jid.MustParse(l.address), conn, 0,
				stalled.negotiator(login.Negotiator(nil, xmpp.StartTLS(&tls.Config{RootCAs: srv.CA, ServerName: srv.Host, MinVersion: version, MaxVersion: version}), xmpp.BindResource())))
			cancel()
			if err == nil {
				if step < 3 {
					t.Errorf("only %d steps", step)
				}
				return // there was no further step
			}
			if !errors.Is(err, context.Canceled) || !errors.Is(err, sasl.ErrConnection) {
				t.Errorf("step %d: %v", step, err)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("step %d took %v", step, took)
			}
		}
	})
}

// stalling ends a context while one of the steps of a negotiation is under way.
type stalling struct {
	left   int
	cancel func()
}

func (s *stalling) negotiator(negotiate xmpp.Negotiator) xmpp.Negotiator {
	return func(ctx context.Context, in, out *stream.Info, session *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, any, error) {
		if s.left == 0 {
			s.cancel()
		}
		s.left--
		return negotiate(ctx, in, out, session, data)
	}
}
