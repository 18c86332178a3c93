package integration

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// wrong is a Client with a password that Postfix refuses.
var wrong = &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("alice", "wrong-5a5a"))}}

// TestSASLSMTPSeveralLines: a refusal in several lines is one text in one line, and the
// connection is in sync afterwards.
func TestSASLSMTPSeveralLines(t *testing.T) {
	t.Parallel()
	srv := harness.Postfix(t)
	witness := dialSMTP(t, srv.Footer.STARTTLS, nil)
	if got := witness.command(t, "AUTH PLAIN "+base64("\x00alice\x00wrong")); got != "535 5.7.8 Error: authentication failed: (reason unavailable)\n5.7.8 See https://postfix.test/help\n5.7.8 about this refusal." {
		t.Errorf("the server said %q", got)
	}
	for library, dial := range smtpLibraries {
		client, err := dial(t, srv.Footer, false, srv.ClientConfig(0))
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.authenticate(t.Context(), wrong)
		var reply *saslsmtp.Reply
		if !errors.Is(err, sasl.ErrAuthentication) || !errors.As(err, &reply) || reply.Code != 535 || reply.Enhanced != [3]int{5, 7, 8} ||
			!strings.HasSuffix(err.Error(), "refused with not-authorized: Error: authentication failed: (reason unavailable) See https://postfix.test/help about this refusal.") {
			t.Errorf("%s: %v", library, err)
		}
		if _, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}); err != nil {
			t.Errorf("%s, then: %v", library, err)
		}
	}
}

// TestSASLSMTPEHLO counts how often each client says EHLO, from the dial to the end of
// the second login, of which the first was refused.
func TestSASLSMTPEHLO(t *testing.T) {
	t.Parallel()
	srv := harness.Postfix(t)
	for library, want := range map[string]struct{ startTLS, implicit int }{
		"go-smtp": {2, 1}, "net/smtp": {2, 1}, "go-mail": {2, 1}, "Conn to go-smtp": {2, 1}, "Conn to net/smtp": {2, 1}, "Conn to go-mail": {2, 1},
	} {
		for implicit, count := range map[bool]int{false: want.startTLS, true: want.implicit} {
			server := srv.DovecotSASL.STARTTLS
			if implicit {
				server = srv.DovecotSASL.Implicit
			}
			var hellos, logins lines
			address := harness.MITM{
				Server: server, Upstream: srv.ClientConfig(0), Cert: srv.PKI.ServerCert(srv.Host), Implicit: implicit,
				FromClient: func(line string, _ bool) string {
					hellos.record(line, "EHLO")
					logins.record(line, "AUTH")
					return line
				},
			}.Start(t)
			client, err := smtpLibraries[library](t, harness.Submission{STARTTLS: address, Implicit: address}, implicit, srv.ClientConfig(0))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.authenticate(t.Context(), wrong); !errors.Is(err, sasl.ErrAuthentication) {
				t.Errorf("%s: %v", library, err)
			}
			if _, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}); err != nil {
				t.Errorf("%s: %v", library, err)
			}
			if hellos.count() != count || logins.count() != 2 {
				t.Errorf("%s, implicit %t: %d times EHLO and %d times AUTH, want %d and 2", library, implicit, hellos.count(), logins.count(), count)
			}
		}
	}
}

// TestSASLSMTPWrongPort: the port of the other kind of TLS is an error that names the
// other function, at once if the server says something. Postfix greets a client that
// waits, and refuses one that speaks first.
func TestSASLSMTPWrongPort(t *testing.T) {
	t.Parallel()
	srv := harness.Postfix(t)
	options := &saslsmtp.Options{TLSConfig: srv.ClientConfig(0), StepTimeout: time.Second}
	began := time.Now()
	_, err := saslsmtp.DialTLS(t.Context(), srv.DovecotSASL.STARTTLS, options)
	var step *transport.StepError
	if sasl.ClassOf(err) != sasl.ErrConnection || !errors.As(err, &step) || step.Step != transport.TLSHandshake ||
		!strings.Contains(err.Error(), `it begins with "220 p"); use DialStartTLS (smtp://)`) &&
			!strings.Contains(err.Error(), `it begins with "554 5"); use DialStartTLS (smtp://)`) {
		t.Errorf("TLS on the clear port: %v", err)
	}
	_, err = saslsmtp.DialStartTLS(t.Context(), srv.DovecotSASL.Implicit, options)
	if sasl.ClassOf(err) != sasl.ErrConnection || !errors.As(err, &step) || step.Step != transport.Greeting || !strings.Contains(err.Error(), "use DialTLS (smtps://)") {
		t.Errorf("no TLS on the TLS port: %v", err)
	}
	if since := time.Since(began); since > 5*time.Second {
		t.Errorf("after %s", since)
	}
}

// TestSASLSMTPWrongPortExisting: a client of go-smtp that exists already reads its first
// line in the login.
func TestSASLSMTPWrongPortExisting(t *testing.T) {
	t.Parallel()
	srv := harness.Postfix(t)
	conn, err := net.Dial("tcp", srv.DovecotSASL.STARTTLS)
	if err != nil {
		t.Fatal(err)
	}
	client := smtp.NewClient(tls.Client(conn, srv.ClientConfig(0)))
	t.Cleanup(func() { client.Close() })
	_, err = saslsmtp.Authenticate(t.Context(), client, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}, saslsmtp.Existing{Host: srv.Host})
	if sasl.ClassOf(err) != sasl.ErrConnection || !strings.Contains(err.Error(), "first record does not look like a TLS handshake") {
		t.Error(err)
	}
}
