package integration

import (
	"crypto/tls"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// attackedSubmission is a service behind a man in the middle.
func attackedSubmission(t *testing.T, srv harness.Named, at harness.Submission, version uint16, pki *harness.PKI, fromServer func(string, bool) string) harness.Submission {
	t.Helper()
	start := func(server string, implicit bool) string {
		return harness.MITM{
			Server: server, Upstream: srv.ClientConfig(version), Cert: pki.ServerCert(srv.Host),
			Implicit: implicit, FromServer: fromServer,
		}.Start(t)
	}
	return harness.Submission{STARTTLS: start(at.STARTTLS, false), Implicit: start(at.Implicit, true)}
}

// withoutSMTPPlus takes what binds out of the list.
func withoutSMTPPlus(line string, _ bool) string {
	return strings.NewReplacer(" SCRAM-SHA-1-PLUS", "", " SCRAM-SHA-256-PLUS", "").Replace(line)
}

// TestSASLSMTPManInTheMiddle: somebody has a certificate that the client
// trusts. Without a binding the client cannot tell; bound, it does not get in.
func TestSASLSMTPManInTheMiddle(t *testing.T) {
	t.Parallel()
	everySMTPWay(t, func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16) {
		srv := harness.Dovecot(t)
		at := attackedSubmission(t, srv.Named, srv.Submission, version, srv.PKI, nil)
		unbound := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Binding: sasl.DisableBinding}
		if _, err := dial(at, srv.ClientConfig(version)).authenticate(t.Context(), unbound); err != nil {
			t.Errorf("not bound: %v", err)
		}
		_, err := dial(at, srv.ClientConfig(version)).authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
		// Dovecot's words are those for a wrong password.
		if !errors.Is(err, sasl.ErrAuthentication) || hints(err) != "password binding" {
			t.Errorf("bound: %v", err)
		}
	})
}

// TestSASLSMTPStripped: somebody whose certificate the client trusts takes what
// binds out of the list, or the whole list.
func TestSASLSMTPStripped(t *testing.T) {
	t.Parallel()
	everySMTPWay(t, func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16) {
		srv := harness.Dovecot(t)
		at := attackedSubmission(t, srv.Named, srv.Submission, version, srv.PKI, withoutSMTPPlus)
		client := dial(at, srv.ClientConfig(version))
		required := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Binding: sasl.RequireBinding}
		if _, err := client.authenticate(t.Context(), required); !errors.Is(err, sasl.ErrPolicy) || !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("required: %v", err)
		}
		_, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
		if !errors.Is(err, sasl.ErrAuthentication) || hints(err) != "password proxy" {
			t.Errorf("preferred: %v", err)
		}

		at = attackedSubmission(t, srv.Named, srv.Submission, version, srv.PKI, withoutAuth)
		if _, err := dial(at, srv.ClientConfig(version)).authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}); !errors.Is(err, sasl.ErrPolicy) {
			t.Errorf("no list: %v", err)
		}
	})
}

// withoutAuth makes the line of the list another one.
func withoutAuth(line string, _ bool) string {
	if len(line) > len("250-") && strings.HasPrefix(line[len("250-"):], "AUTH") {
		return line[:len("250-")] + "X" + line[len("250-"):]
	}
	return line
}

// TestSASLSMTPInsecure: where somebody hides STARTTLS, or nobody wants it,
// nothing of a password is sent, although the server would take it.
func TestSASLSMTPInsecure(t *testing.T) {
	t.Parallel()
	srv := harness.Postfix(t)
	var sent atomic.Bool
	address := harness.MITM{
		Server: srv.DovecotSASL.STARTTLS,
		FromServer: func(line string, _ bool) string {
			return strings.Replace(line, "STARTTLS", "XTLS", 1)
		},
		FromClient: func(line string, _ bool) string {
			if strings.HasPrefix(line, "AUTH") && !strings.HasPrefix(line, "AUTH ANONYMOUS") {
				sent.Store(true)
			}
			return line
		},
	}.Start(t)
	at := harness.Submission{STARTTLS: address}
	config := srv.ClientConfig(tls.VersionTLS13)
	for library, dial := range smtpLibraries {
		if _, err := dial(t, at, false, config); err == nil {
			t.Errorf("%s: TLS, though the server has none", library)
		}
		client, err := dial(t, at, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}); !errors.Is(err, sasl.ErrPolicy) {
			t.Errorf("%s: %v", library, err)
		}
		if _, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Anonymous("sirhc")}}); err != nil {
			t.Errorf("%s, ANONYMOUS: %v", library, err)
		}
	}
	if sent.Load() {
		t.Error("something of the password was sent")
	}
}

// TestSASLSMTPUntrusted: a certificate that the client does not trust. A client
// of go-smtp finds that when it is to authenticate; the others have failed
// before.
func TestSASLSMTPUntrusted(t *testing.T) {
	t.Parallel()
	srv := harness.Postfix(t)
	config := srv.ClientConfig(tls.VersionTLS13)
	behind := attackedSubmission(t, srv.Named, srv.DovecotSASL, tls.VersionTLS13, harness.NewPKI(), nil)
	for library, dial := range smtpLibraries {
		for kind, implicit := range map[string]bool{"implicit": true, "STARTTLS": false} {
			client, err := dial(t, behind, implicit, config)
			if library == "go-smtp" && !implicit {
				_, err = client.authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
				if !errors.Is(err, sasl.ErrSecurity) {
					t.Errorf("%s, %s: %v", library, kind, err)
				}
			} else if err == nil {
				t.Errorf("%s, %s: the certificate was believed", library, kind)
			}
		}
	}
}

// TestSASLSMTPHiddenPlus: Postfix hides from the client that its Dovecot knows
// channel binding. A client that could bind says so and is refused. The error
// names the setting; with that setting, the same connection works.
func TestSASLSMTPHiddenPlus(t *testing.T) {
	t.Parallel()
	everySMTPWay(t, func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16) {
		srv := harness.PostfixPlus(t)
		client := dial(srv.DovecotSASL, srv.ClientConfig(version))
		_, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
		if !errors.Is(err, sasl.ErrAuthentication) || hints(err) != "password proxy" {
			t.Errorf("bindings preferred: %v", err)
		}
		unbound := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Binding: sasl.DisableBinding}
		if result, err := client.authenticate(t.Context(), unbound); err != nil || result.Mechanism != "SCRAM-SHA-256" {
			t.Errorf("bindings disabled: %+v, %v", result, err)
		}
		if err := client.submit("alice@"+srv.Host, t.Name()); err != nil {
			t.Errorf("submission: %v", err)
		}
	})
}

// TestSASLSMTPOverLong: a line of the server that does not end soon.
func TestSASLSMTPOverLong(t *testing.T) {
	t.Parallel()
	everySMTPWay(t, func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16) {
		srv := harness.Postfix(t)
		at := attackedSubmission(t, srv.Named, srv.CyrusSASL, version, srv.PKI, func(line string, _ bool) string {
			if strings.HasPrefix(line, "334 ") {
				return "334 " + strings.Repeat("QUFB", 1<<18) + "\r\n"
			}
			return line
		})
		_, err := dial(at, srv.ClientConfig(version)).authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
		if !errors.Is(err, sasl.ErrProtocol) {
			t.Error(err)
		}
	})
}
