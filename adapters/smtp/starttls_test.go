package saslsmtp_test

import (
	"crypto/tls"
	netsmtp "net/smtp"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestStartTLSInjection: what was said before TLS, or was put behind the answer
// to STARTTLS, has no effect (RFC 3207 s4.2).
func TestStartTLSInjection(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, smtptest.Host)
	config := &tls.Config{RootCAs: pool, ServerName: smtptest.Host}
	client := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}
	for name, authenticate := range map[string]func(address string) error{
		"go-smtp": func(address string) error {
			c, err := smtp.DialStartTLS(address, config)
			if err != nil {
				return err
			}
			defer c.Close()
			_, err = saslsmtp.Authenticate(t.Context(), c, client, saslsmtp.Server{Host: smtptest.Host})
			return err
		},
		"net/smtp": func(address string) error {
			c, err := netsmtp.Dial(address)
			if err != nil {
				return err
			}
			defer c.Close()
			if err := c.StartTLS(config); err != nil {
				return err
			}
			_, err = saslsmtp.AuthenticateNet(t.Context(), c, client, saslsmtp.Server{Host: smtptest.Host})
			return err
		},
	} {
		address, auth := smtptest.Injecting(t, certificate)
		err := authenticate(address)
		if got := <-auth; !strings.HasPrefix(got, "AUTH SCRAM-SHA-256 ") {
			t.Errorf("%s: the client sent %q, %v", name, got, err)
		}
	}
}
