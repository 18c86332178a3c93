package saslsmtp_test

import (
	"crypto/tls"
	"errors"
	netsmtp "net/smtp"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestStartTLSInjection: data from before TLS, or behind the answer to STARTTLS,
// has no effect (RFC 3207 s4.2).
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
			_, err = saslsmtp.Authenticate(t.Context(), c, client, saslsmtp.Existing{Host: smtptest.Host})
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
			_, err = saslsmtp.AuthenticateNet(t.Context(), c, client, saslsmtp.Existing{Host: smtptest.Host})
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

// TestStartTLSRefused: each form of a server without STARTTLS, and data behind its
// answer.
func TestStartTLSRefused(t *testing.T) {
	const offer = "250-mail.example.org\r\n250 StartTLS"
	for name, row := range map[string]struct {
		lines []string
		class sasl.Class
		none  bool
		code  int
	}{
		"not offered":   {[]string{"250-mail.example.org\r\n250 STARTTLSX"}, sasl.ErrSecurity, true, 0},
		"refused":       {[]string{offer, "<STARTTLS", "502 5.5.1 no"}, sasl.ErrSecurity, true, 502},
		"not available": {[]string{offer, "<STARTTLS", "454 4.7.0 TLS not available"}, sasl.ErrTemporary, false, 454},
		"closing":       {[]string{offer, "<STARTTLS", "421 4.3.2 closing"}, sasl.ErrTemporary, false, 421},
		"cut":           {[]string{offer, "<STARTTLS", "!"}, sasl.ErrConnection, false, 0},
		"another reply": {[]string{offer, "<STARTTLS", "250 OK"}, sasl.ErrProtocol, false, 0},
		"data behind":   {[]string{offer, "<STARTTLS", "220 go\r\n250 AUTH PLAIN"}, sasl.ErrSecurity, false, 0},
		"no TLS":        {[]string{offer, "<STARTTLS", "220 go", "~", "250 AUTH PLAIN"}, sasl.ErrSecurity, false, 0},
	} {
		conn := sasltest.Scripted(t, append([]string{"220 hi", ehlo}, row.lines...)...)
		_, err := saslsmtp.NewStartTLS(t.Context(), conn, smtptest.Host, nil)
		var reply *saslsmtp.Reply
		if sasl.ClassOf(err) != row.class || errors.Is(err, transport.ErrNoStartTLS) != row.none || errors.As(err, &reply) != (row.code != 0) || reply != nil && reply.Code != row.code {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := conn.Write([]byte("x")); err == nil {
			t.Errorf("%s: the connection is open", name)
		}
	}
}
