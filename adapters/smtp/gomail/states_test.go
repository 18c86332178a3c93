package saslgomail_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"testing"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	saslgomail "github.com/saslkit/saslkit/adapters/smtp/gomail"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

const password = "tanstaaftanstaaf"

// plain logs in without TLS, as a user that RFC 4616 has.
var plain = &sasl.Client{
	Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("tim", password))},
	Allow:      func(sasl.Candidate) error { return nil },
}

// TestAuthValueScreen: go-mail hands the text of a refusal to its caller without
// asking the Auth. Screen withholds a text that repeats the password, and keeps the
// code; it keeps every other text.
func TestAuthValueScreen(t *testing.T) {
	for text, hidden := range map[string]bool{
		"5.7.8 no such password: " + password:               true,
		"5.7.8 AHRpbQB0YW5zdGFhZnRhbnN0YWFm is wrong":       true,
		"5.7.8 no mailbox of this name":                     false,
		"5.7.8 the password is wrong, or the name is wrong": false,
	} {
		conn := sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN",
			"<AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm", "535 "+text, "<*", "501 what", "<QUIT", "221 bye")
		value := saslgomail.Auth(t.Context(), smtptest.Host, plain)
		client, err := mail.NewClient(smtptest.Host, mail.WithTLSPolicy(mail.NoTLS), mail.WithHELO("localhost"), mail.WithSMTPAuthCustom(value),
			mail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return conn, nil }))
		if err != nil {
			t.Fatal(err)
		}
		err = value.Screen(client.DialWithContext(t.Context()))
		var refused *textproto.Error
		if !errors.As(err, &refused) || refused.Code != 535 {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := strings.Contains(fmt.Sprintf("%v %+v %v", err, err, refused), "withheld, because it repeats a secret"); got != hidden {
			t.Errorf("%s: %v, withheld %t", text, err, got)
		}
		if said := fmt.Sprintf("%v %#v %v", err, err, refused); strings.Contains(said, password) || strings.Contains(said, "AHRpbQB0") {
			t.Errorf("%s: the error is %s", text, said)
		}
	}
}

// TestCancelInEveryState: the end of the context ends the login at once in every
// state that it has after the greeting, also while the server reads nothing, so that
// a write waits.
func TestCancelInEveryState(t *testing.T) {
	const (
		read  = smtptest.Read
		hello = "250-mail.example.org\r\n250 AUTH PLAIN\r\n"
	)
	for state, script := range map[string][]string{
		"EHLO is not read":    nil,
		"EHLO has no answer":  {read},
		"half a list":         {read, "250-m"},
		"AUTH is not read":    {read, hello},
		"AUTH has no answer":  {read, hello, read},
		"half an answer":      {read, hello, read, "535-5.7.8 n"},
		"response is unread":  {read, hello, read, "334 \r\n"},
		"response, no answer": {read, hello, read, "334 \r\n", read},
		"abort is not read":   {read, hello, read, "334 YWJj\r\n"},
		"abort has no answer": {read, hello, read, "334 YWJj\r\n", read},
	} {
		t.Run(state, func(t *testing.T) {
			smtptest.Cancel(t, append([]string{"220 hi\r\n"}, script...), func(ctx context.Context, conn net.Conn) error {
				client, err := smtp.NewClient(conn, smtptest.Host)
				if err != nil {
					return err
				}
				_, err = saslgomail.Authenticate(ctx, client, plain, saslsmtp.Existing{Host: smtptest.Host})
				if client.HasConnection() {
					t.Error("the library takes the connection for open")
				}
				return err
			})
		})
	}
}
