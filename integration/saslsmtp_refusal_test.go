package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// TestSASLSMTPRefusals: each refusal has its class, code and enhanced code,
// leaves the connection in sync, and the right password follows on it.
func TestSASLSMTPRefusals(t *testing.T) {
	t.Parallel()
	everySMTPWay(t, func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16) {
		srv := harness.Postfix(t)
		for service, at := range map[string]harness.Submission{"Dovecot": srv.DovecotSASL, "Cyrus": srv.CyrusSASL} {
			client := dial(at, srv.ClientConfig(version))
			for name, credentials := range map[string]sasl.Credentials{
				"wrong password": sasl.Password("alice", "Secret"),
				"unknown user":   sasl.Password("nobody", "secret"),
				"denied user":    sasl.Password("carol", "secret"), // unknown to Cyrus SASL
			} {
				for _, m := range []sasl.Mechanism{sasl.Plain(credentials), sasl.SCRAM(sasl.SHA1, credentials), sasl.SCRAM(sasl.SHA256, credentials)} {
					_, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}})
					var reply *saslsmtp.Reply
					if !errors.Is(err, sasl.ErrAuthentication) || !errors.As(err, &reply) || reply.Code != 535 || reply.Enhanced != [3]int{5, 7, 8} {
						t.Errorf("%s, %s, %s: %v", service, name, m.Name(), err)
					}
				}
			}
			if _, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}); err != nil {
				t.Errorf("%s, then: %v", service, err)
			}
		}
	})
}

// TestSASLSMTPForeignAuthzid shows that the name of another user needs a permission.
func TestSASLSMTPForeignAuthzid(t *testing.T) {
	t.Parallel()
	everySMTPWay(t, func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16) {
		srv := harness.Dovecot(t)
		client := dial(srv.Submission, srv.ClientConfig(version))
		for _, m := range []sasl.Mechanism{sasl.Plain(alice.ActingAs("bob")), sasl.SCRAMPlus(sasl.SHA256, alice.ActingAs("bob"))} {
			if _, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}}); !errors.Is(err, sasl.ErrAuthentication) {
				t.Errorf("%s: %v", m.Name(), err)
			}
		}
		disabled := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("carol", "secret"))}
		if _, err := client.authenticate(t.Context(), disabled); !errors.Is(err, sasl.ErrAuthorization) {
			t.Errorf("a disabled account: %v", err)
		}
	})
}

// TestSASLSMTPAbort: the client ends an exchange, here because the password
// cannot be had. The libraries that let us see the server's answer to that go
// on with the same connection; a client of go-smtp is closed.
func TestSASLSMTPAbort(t *testing.T) {
	t.Parallel()
	everySMTPWay(t, func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16) {
		srv := harness.Postfix(t)
		for service, at := range map[string]harness.Submission{"Dovecot": srv.DovecotSASL, "Cyrus": srv.CyrusSASL} {
			client := dial(at, srv.ClientConfig(version))
			closes := strings.Contains(t.Name(), "/go-smtp/")
			for range 3 {
				_, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(lockedKeyring)})
				if !errors.Is(err, sasl.ErrConfig) || !errors.Is(err, errLocked) {
					t.Fatalf("%s: %v", service, err)
				}
				if closes {
					break
				}
			}
			_, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
			if closes && !errors.Is(err, sasl.ErrConnection) || !closes && err != nil {
				t.Errorf("%s, then: %v", service, err)
			}
		}
	})
}

// says is a mechanism whose first message is whatever the test wants, and whose
// later ones too.
type says struct {
	name    string
	message string
}

func (m *says) Name() string                 { return m.name }
func (m *says) New(sasl.Terms) sasl.Exchange { return m }
func (m *says) Identity() sasl.Identity      { return sasl.Identity{Username: "alice"} }
func (m *says) Step(context.Context, []byte) (out []byte, done bool, err error) {
	return []byte(m.message), true, nil
}

// TestSASLSMTPGarbage shows how the servers react to invalid messages and to long
// messages: 8 KiB, which they read, and 12288 octets in base64, which with their line end
// are more than they read. Beyond these, the limit of RFC 4954 s4, nothing is sent.
func TestSASLSMTPGarbage(t *testing.T) {
	t.Parallel()
	everySMTPWay(t, func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16) {
		srv := harness.Postfix(t)
		for service, at := range map[string]harness.Submission{"Dovecot": srv.DovecotSASL, "Cyrus": srv.CyrusSASL} {
			for name, row := range map[string]struct {
				m     says
				class sasl.Class // of Dovecot; Cyrus SASL cannot parse two of the messages, and says so
				code  int        // 0: the server says nothing
			}{
				"PLAIN without NUL":        {says{"PLAIN", "alice secret"}, sasl.ErrAuthentication, 535},
				"not UTF-8":                {says{"PLAIN", "\x00\xff\xfe\x00\xc0\x80"}, sasl.ErrAuthentication, 535},
				"empty":                    {says{"PLAIN", ""}, sasl.ErrAuthentication, 535},
				"SCRAM without gs2-header": {says{"SCRAM-SHA-256", "n=alice,r=abc"}, sasl.ErrAuthentication, 535},
				"8 KiB":                    {says{"PLAIN", longPassword(8 << 10)}, sasl.ErrAuthentication, 535},
				"12288 octets":             {says{"PLAIN", longPassword(12288 / 4 * 3)}, sasl.ErrProtocol, 500},
				"12292 octets":             {says{"PLAIN", longPassword(12292 / 4 * 3)}, sasl.ErrConfig, 0},
				"48 KiB":                   {says{"PLAIN", longPassword(48 << 10)}, sasl.ErrConfig, 0},
			} {
				if service == "Cyrus" && (name == "PLAIN without NUL" || name == "SCRAM without gs2-header") {
					row.class = sasl.ErrProtocol
				}
				client := dial(at, srv.ClientConfig(version))
				_, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{&row.m}})
				var reply *saslsmtp.Reply
				if sasl.ClassOf(err) != row.class || row.code != 0 && (!errors.As(err, &reply) || reply.Code != row.code) {
					t.Errorf("%s, %s: %v", service, name, err)
				}
				_, err = client.authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
				if err != nil {
					t.Errorf("%s, %s, then: %v", service, name, err)
				}
			}
		}
	})
}

// longPassword is a message of PLAIN of so many octets.
func longPassword(octets int) string {
	message := "\x00alice\x00"
	return message + strings.Repeat("p", octets-len(message))
}
