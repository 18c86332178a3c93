package saslsmtp_test

import (
	"errors"
	"net"
	netsmtp "net/smtp"
	"net/textproto"
	"strings"
	"testing"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestAuthValue: the value for functions that accept nothing else.
func TestAuthValue(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	for name, row := range map[string]struct {
		auth  *sasl.Client
		host  string
		class sasl.Class // "" = success
	}{
		"ladder":         {&sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}, smtptest.Host, ""},
		"PLAIN":          {&sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(credentials)}}, smtptest.Host, ""},
		"empty":          {&sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Anonymous("")}}, smtptest.Host, ""},
		"another name":   {&sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}, "other.example.org", sasl.ErrPolicy},
		"binding needed": {&sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials), Binding: sasl.RequireBinding}, smtptest.Host, sasl.ErrPolicy},
	} {
		client := dialNet(t, "STARTTLS", server.StartTLS, server.Client)
		err := client.Auth(saslsmtp.Auth(t.Context(), row.host, row.auth))
		if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			<-server.Logins
		}
		client.Close()
	}
	client := dialNet(t, "STARTTLS", server.StartTLS, server.Client)
	defer client.Close()
	err := client.Auth(saslsmtp.Auth(t.Context(), smtptest.Host, &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("user", "wrong"))}}))
	var refused *textproto.Error
	if !errors.As(err, &refused) || refused.Code != 535 {
		t.Errorf("wrong password: %v", err)
	}
	<-server.Refusals
}

// TestAuthValueEarlySuccess: a server that announces success at once, and one
// that does before it has the first message.
func TestAuthValueEarlySuccess(t *testing.T) {
	scram := sasl.SCRAM(sasl.SHA256, credentials)
	for name, m := range map[string]sasl.Mechanism{
		"before the proof":         scram,
		"before the first message": sasl.Plain(sasl.Password("user", strings.Repeat("p", 400))),
	} {
		near, far := net.Pipe()
		go func() {
			text := textproto.NewConn(far)
			for _, answer := range []string{"220 hi", "250-mail.example.org\r\n250 AUTH " + m.Name(), "235 welcome", "501 what", "221 bye"} {
				text.PrintfLine("%s", answer)
				text.ReadLine()
			}
			text.Close()
		}()
		client, err := netsmtp.NewClient(near, smtptest.Host)
		if err != nil {
			t.Fatal(err)
		}
		auth := &sasl.Client{Mechanisms: []sasl.Mechanism{m}, Allow: plain.Allow}
		if err := client.Auth(saslsmtp.Auth(t.Context(), smtptest.Host, auth)); !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("%s: %v", name, err)
		}
		client.Close()
	}
}
