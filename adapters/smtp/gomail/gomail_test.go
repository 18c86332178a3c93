package saslgomail_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
	"go.uber.org/goleak"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	saslgomail "github.com/saslkit/saslkit/adapters/smtp/gomail"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var credentials = sasl.Password("user", "pencil")

// TestConforms runs the conformance kit on go-mail's SMTP client.
func TestConforms(t *testing.T) {
	sasltest.TestAdapter(t, sasltest.Adapter{
		Wire:       func(conn net.Conn) sasltest.Wire { return smtptest.NewWire(conn) },
		Conditions: smtptest.Conditions(),
		Malformed:  smtptest.Malformed,
		Dial: func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			c, err := smtp.NewClient(conn, smtptest.Host) // waits for the greeting, without a context
			if !stop() || err != nil {
				conn.Close()
				return sasl.Result{}, errors.Join(sasl.ErrConnection, ctx.Err(), err)
			}
			return saslgomail.Authenticate(ctx, c, client, saslsmtp.Existing{Host: smtptest.Host})
		},
	})
}

// newClient is a go-mail client that connects to the address under the server's
// name.
func newClient(t *testing.T, address string, config *tls.Config, options ...mail.Option) *mail.Client {
	t.Helper()
	options = append(options, mail.WithTLSConfig(config), mail.WithDialContextFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}))
	client, err := mail.NewClient(smtptest.Host, options...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func message(t *testing.T) *mail.Msg {
	t.Helper()
	m := mail.NewMsg()
	if err := errors.Join(m.From("a@example.org"), m.To("b@example.org")); err != nil {
		t.Fatal(err)
	}
	m.Subject("hello")
	m.SetBodyString(mail.TypeTextPlain, "hello")
	return m
}

// TestChannelBinding: the documentation's example, with STARTTLS.
func TestChannelBinding(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	for version, want := range map[uint16]string{tls.VersionTLS12: "tls-unique", tls.VersionTLS13: "tls-exporter"} {
		config := server.Client.Clone()
		config.MinVersion, config.MaxVersion = version, version
		client := newClient(t, server.StartTLS, config, mail.WithTLSPolicy(mail.TLSMandatory))
		smtpClient, err := client.DialToSMTPClientWithContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wrong := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("user", "wrong"))}}
		if _, err := saslgomail.Authenticate(t.Context(), smtpClient, wrong, saslsmtp.Existing{Host: smtptest.Host}); !errors.Is(err, sasl.ErrAuthentication) {
			t.Errorf("wrong password: %v", err)
		}
		<-server.Refusals
		auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}
		result, err := saslgomail.Authenticate(t.Context(), smtpClient, auth, saslsmtp.Existing{Host: smtptest.Host})
		if err != nil || result.Mechanism != "SCRAM-SHA-512-PLUS" || result.Binding != want || result.RoundTrips != 3 {
			t.Errorf("%+v, %v", result, err)
		}
		<-server.Logins
		if err := client.SendWithSMTPClient(smtpClient, message(t)); err != nil {
			t.Errorf("submission: %v", err)
		} else if got := <-server.Mail; !strings.HasPrefix(got, "user: ") || !strings.Contains(got, "Subject: hello") {
			t.Errorf("submitted %q", got)
		}
		client.CloseWithSMTPClient(smtpClient)
	}
}

// TestAuthValue: the client connects by itself.
func TestAuthValue(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	for name, row := range map[string]struct {
		host, password string
		class          sasl.Class // "" = success or, with another password, the library's own error
	}{
		"right":          {smtptest.Host, "pencil", ""},
		"another name":   {"other.example.org", "pencil", sasl.ErrPolicy},
		"wrong password": {smtptest.Host, "wrong", ""},
	} {
		auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("user", row.password))}}
		client := newClient(t, server.StartTLS, server.Client, mail.WithTLSPolicy(mail.TLSMandatory),
			mail.WithSMTPAuthCustom(saslgomail.Auth(t.Context(), row.host, auth)))
		err := client.DialAndSendWithContext(t.Context(), message(t))
		var refused *textproto.Error
		switch {
		case row.password == "wrong":
			if !errors.As(err, &refused) || refused.Code != 535 {
				t.Errorf("%s: %v", name, err)
			}
			<-server.Refusals
		case sasl.ClassOf(err) != row.class || (err == nil) != (row.class == ""):
			t.Errorf("%s: %v", name, err)
		case err == nil:
			<-server.Logins
			<-server.Mail
		}
	}
}

// TestAskedForAgain: a server that asks with an empty challenge for the message
// that it was sent gets it once more, and never a third time.
func TestAskedForAgain(t *testing.T) {
	const message = "AHRpbQB0YW5zdGFhZnRhbnN0YWFm"
	auth := &sasl.Client{
		Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("tim", "tanstaaftanstaaf"))},
		Allow:      func(sasl.Candidate) error { return nil },
	}
	for name, row := range map[string]struct {
		authenticate func(*smtp.Client) error
		givesUp      []string // what the server sees then
	}{
		"Authenticate": {func(c *smtp.Client) error {
			_, err := saslgomail.Authenticate(t.Context(), c, auth, saslsmtp.Existing{Host: smtptest.Host})
			return err
		}, []string{"<*", "501 cancelled"}},
		"Auth": {func(c *smtp.Client) error {
			return c.Auth(saslgomail.Auth(t.Context(), smtptest.Host, auth))
		}, []string{"<*", "501 cancelled", "<QUIT", "221 bye"}},
	} {
		lines := []string{"220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN", "<AUTH PLAIN " + message, "334 ", "<" + message}
		for class, answer := range map[sasl.Class][]string{
			"":               {"235 yes"},
			sasl.ErrProtocol: append([]string{"334 "}, row.givesUp...),
		} {
			conn := sasltest.Scripted(t, append(slices.Clone(lines), answer...)...)
			client, err := smtp.NewClient(conn, smtptest.Host)
			if err != nil {
				t.Fatal(err)
			}
			if err := row.authenticate(client); sasl.ClassOf(err) != class || (err == nil) != (class == "") {
				t.Errorf("%s: %v, want class %q", name, err, class)
			}
		}
	}
}

// TestEnforcesBinding: the caller's assertion is in the ServerInfo.
func TestEnforcesBinding(t *testing.T) {
	for _, asserted := range []bool{true, false} {
		client, err := smtp.NewClient(sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN"), smtptest.Host)
		if err != nil {
			t.Fatal(err)
		}
		var seen []bool
		auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(credentials)}, Allow: func(c sasl.Candidate) error {
			seen = append(seen, c.Server.EnforcesBinding)
			return errors.New("only asked")
		}}
		_, err = saslgomail.Authenticate(t.Context(), client, auth, saslsmtp.Existing{Host: smtptest.Host, EnforcesBinding: asserted})
		if !errors.Is(err, sasl.ErrPolicy) || !slices.Equal(seen, []bool{asserted}) {
			t.Errorf("%t: %v, %v", asserted, seen, err)
		}
	}
}

// TestStartTLSInjection: data from before TLS, or behind the answer to STARTTLS,
// has no effect (RFC 3207 s4.2).
func TestStartTLSInjection(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, smtptest.Host)
	address, auth := smtptest.Injecting(t, certificate)
	client := newClient(t, address, &tls.Config{RootCAs: pool, ServerName: smtptest.Host}, mail.WithTLSPolicy(mail.TLSMandatory))
	smtpClient, err := client.DialToSMTPClientWithContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer smtpClient.Close()
	_, err = saslgomail.Authenticate(t.Context(), smtpClient, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}, saslsmtp.Existing{Host: smtptest.Host})
	if got := <-auth; !strings.HasPrefix(got, "AUTH SCRAM-SHA-256 ") {
		t.Errorf("the client sent %q, %v", got, err)
	}
}
