package saslgomail_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	saslgomail "github.com/saslkit/saslkit/adapters/smtp/gomail"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestLongToken: a JSON Web Token of 3 KiB passes through the client, which is
// connected already or connects by itself.
func TestLongToken(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken("user", sasltest.LongToken())) {
		auth := &sasl.Client{Mechanisms: []sasl.Mechanism{m}}
		client := newClient(t, server.StartTLS, server.Client, mail.WithTLSPolicy(mail.TLSMandatory))
		smtpClient, err := client.DialToSMTPClientWithContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		result, err := saslgomail.Authenticate(t.Context(), smtpClient, auth, saslsmtp.Existing{Host: smtptest.Host})
		if err != nil || result != (sasl.Result{Mechanism: m.Name(), Username: "user", RoundTrips: 1}) {
			t.Fatalf("%s: %+v, %v", m.Name(), result, err)
		}
		<-server.Logins
		client.CloseWithSMTPClient(smtpClient)
		client = newClient(t, server.StartTLS, server.Client, mail.WithTLSPolicy(mail.TLSMandatory),
			mail.WithSMTPAuthCustom(saslgomail.Auth(t.Context(), smtptest.Host, auth)))
		if err := client.DialAndSendWithContext(t.Context(), message(t)); err != nil {
			t.Fatalf("%s, a value: %v", m.Name(), err)
		}
		<-server.Logins
		<-server.Mail
	}
}

// TestLongestResponse: RFC 4954 s4 has servers accept 12288 octets of base64, which
// are 9216 octets. Nothing of a longer message is sent.
func TestLongestResponse(t *testing.T) {
	for _, octets := range []int{9216, 9217} {
		message := "\x00u\x00" + strings.Repeat("p", octets-3)
		auth := &sasl.Client{
			Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("u", message[3:]))},
			Allow:      func(sasl.Candidate) error { return nil },
		}
		for name, authenticate := range map[string]func(*smtp.Client) error{
			"Authenticate": func(c *smtp.Client) error {
				_, err := saslgomail.Authenticate(t.Context(), c, auth, saslsmtp.Existing{Host: smtptest.Host})
				return err
			},
			"Auth": func(c *smtp.Client) error { return c.Auth(saslgomail.Auth(t.Context(), smtptest.Host, auth)) },
		} {
			lines := []string{"220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN"}
			want := sasl.ErrConfig
			if octets == 9216 {
				want = ""
				lines = append(lines, "<AUTH PLAIN", "334 ", "<"+base64.StdEncoding.EncodeToString([]byte(message)), "235 yes")
			}
			lines = append(lines, "<QUIT", "221 bye") // and nothing before
			conn := sasltest.Scripted(t, lines...)
			conn.SetDeadline(time.Now().Add(8 * time.Second))
			client, err := smtp.NewClient(conn, smtptest.Host)
			if err != nil {
				t.Fatal(err)
			}
			if err := authenticate(client); sasl.ClassOf(err) != want || (err == nil) != (want == "") {
				t.Errorf("%s, %d: %v", name, octets, err)
			}
			client.Quit() // Auth has sent it already after an error
		}
	}
}
