package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// TestSASLXMPPRefused: what the server does not take.
func TestSASLXMPPRefused(t *testing.T) {
	t.Parallel()
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		wrong, nobody, carol := sasl.Password("alice", "wrong-5a5a"), sasl.Password("nobody", "secret"), sasl.Password("carol", "secret")
		for _, row := range []struct {
			name, address string
			mechanisms    []sasl.Mechanism
			class         sasl.Class
			condition     sasl.Condition
		}{
			{"wrong password", "alice@" + srv.Host, sasl.PasswordMechanisms(wrong), sasl.ErrAuthentication, sasl.NotAuthorized},
			{"wrong password in PLAIN", "alice@" + srv.Host, []sasl.Mechanism{sasl.Plain(wrong)}, sasl.ErrAuthentication, sasl.NotAuthorized},
			{"unknown user", "nobody@" + srv.Host, sasl.PasswordMechanisms(nobody), sasl.ErrAuthentication, sasl.NotAuthorized},
			{"disabled account", "carol@" + harness.XMPPSHA256, sasl.PasswordMechanisms(carol), sasl.ErrAuthorization, sasl.AccountDisabled},
			{"no certificate", "alice@" + harness.XMPPCertificate, []sasl.Mechanism{sasl.External("")}, sasl.ErrAuthorization, sasl.AccountDisabled},
			{"no common mechanism", "alice@" + srv.Host, []sasl.Mechanism{sasl.SCRAM(sasl.SHA512, alice)}, sasl.ErrPolicy, ""},
		} {
			l := &xmppLogin{address: row.address, config: xmppConfig(srv, version), direct: direct}
			l.login.Client = &sasl.Client{Mechanisms: row.mechanisms}
			_, _, err := l.run(t.Context(), t, srv)
			var failure *sasl.Failure
			errors.As(err, &failure)
			if sasl.ClassOf(err) != row.class || row.condition != "" && (failure == nil || failure.Condition != row.condition) {
				t.Errorf("%s: %v", row.name, err)
			}
			if err != nil && strings.Contains(fmt.Sprintf("%+v", err), "5a5a") {
				t.Errorf("%s: the password is in %v", row.name, err)
			}
		}
	})
}

// withoutSASL2 is what a server without SASL2 offers.
func withoutSASL2(element string, _ bool) string {
	before, rest, ok := strings.Cut(element, "<authentication ")
	if !ok {
		return element
	}
	_, after, _ := strings.Cut(rest, "</authentication>")
	return before + after
}

// TestSASLXMPPRetry: a person types the password again on the same stream; and
// an exchange that was given up ends a stream with SASL2, but not one without.
// The domain is one without XEP-0474.
func TestSASLXMPPRetry(t *testing.T) {
	t.Parallel()
	right := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Binding: sasl.DisableBinding}
	again := func(context.Context, error) *sasl.Client { return right }
	locked := func(context.Context, sasl.Prompt) (sasl.Credential, error) {
		return sasl.Credential{Username: "alice", Password: func(context.Context) (sasl.Secret, error) {
			return sasl.Secret{}, errors.New("the keyring is locked")
		}}, nil
	}
	wrong := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "wrong")), Binding: sasl.DisableBinding, Retry: again}
	abort := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(locked), Binding: sasl.DisableBinding, Retry: again}
	for name, fromServer := range map[string]func(string, bool) string{"SASL": withoutSASL2, "SASL2": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			throughXMPPMITM(t, harness.XMPPSHA1, fromServer, func(t *testing.T, login func(*sasl.Client) (saslxmpp.Outcome, error)) {
				if outcome, err := login(wrong); err != nil || outcome.SASL2 != (name == "SASL2") {
					t.Errorf("after a refusal: %+v, %v", outcome, err)
				}
				switch outcome, err := login(abort); {
				case name == "SASL" && err != nil:
					t.Errorf("after an abort: %+v, %v", outcome, err)
				case name == "SASL2" && (!errors.Is(err, sasl.ErrConfig) || !strings.Contains(err.Error(), "keyring")):
					t.Errorf("after an abort: %+v, %v", outcome, err)
				}
			})
		})
	}
}

// garbage is a mechanism that says what no server takes, under another's name.
type garbage struct {
	name    string
	message []byte
}

func (g garbage) Name() string                 { return g.name }
func (g garbage) New(sasl.Terms) sasl.Exchange { return garbageExchange(g) }

type garbageExchange garbage

func (g garbageExchange) Step(_ context.Context, in []byte) ([]byte, bool, error) {
	if in != nil {
		return nil, false, errors.New("there is more")
	}
	return g.message, false, nil
}

func (garbageExchange) Identity() sasl.Identity { return sasl.Identity{} }

// TestSASLXMPPGarbage: an unknown binding type, an invalid message, and a
// message that is longer than the server states, which is not sent: each has its
// class, and nothing else breaks.
func TestSASLXMPPGarbage(t *testing.T) {
	t.Parallel()
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		for _, row := range []struct {
			name    string
			message string
			class   sasl.Class
		}{
			{"unknown binding type", "p=tls-unknown,,n=alice,r=nonce", sasl.ErrProtocol},
			{"no SCRAM", "\x00\xff", sasl.ErrProtocol},
			{"over-long", "n,,n=" + strings.Repeat("a", 20000) + ",r=nonce", sasl.ErrConfig},
		} {
			l := &xmppLogin{address: "alice@" + srv.Host, config: xmppConfig(srv, version), direct: direct}
			l.login.Client = &sasl.Client{Mechanisms: []sasl.Mechanism{garbage{"SCRAM-SHA-256", []byte(row.message)}}}
			if _, _, err := l.run(t.Context(), t, srv); sasl.ClassOf(err) != row.class {
				t.Errorf("%s: %v", row.name, err)
			}
		}
		// An unknown type with our own mechanism, which says what to do about it.
		l := &xmppLogin{address: "alice@" + srv.Host, config: xmppConfig(srv, version), direct: direct}
		unknown := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAMPlus(sasl.SHA256, alice)}, BindingTypes: []string{"tls-exporter"}}
		l.login.Client = unknown
		if _, _, err := l.run(t.Context(), t, srv); version == tls.VersionTLS12 && sasl.ClassOf(err) == "" {
			t.Errorf("tls-exporter over TLS 1.2: %v", err)
		}
	})
}

// TestSASLXMPPBadBase64: somebody in between breaks the client's message.
func TestSASLXMPPBadBase64(t *testing.T) {
	t.Parallel()
	srv := harness.Prosody(t)
	breaking := func(element string, _ bool) string {
		before, rest, ok := strings.Cut(element, "<initial-response>")
		_, after, _ := strings.Cut(rest, "</initial-response>")
		if !ok {
			return element
		}
		return before + "<initial-response>!!!!</initial-response>" + after
	}
	l := &xmppLogin{address: "alice@" + srv.Host, config: xmppConfig(srv, tls.VersionTLS13)}
	l.server = harness.MITM{
		Server: srv.STARTTLS, Upstream: srv.ClientConfig(tls.VersionTLS13), Cert: srv.PKI.ServerCert(srv.Host),
		XMPP: true, FromClient: breaking,
	}.Start(t)
	l.login.Client = &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(alice)}}
	_, _, err := l.run(t.Context(), t, srv)
	var failure *sasl.Failure
	if !errors.As(err, &failure) || failure.Condition != sasl.IncorrectEncoding || !errors.Is(err, sasl.ErrProtocol) {
		t.Error(err)
	}
}
