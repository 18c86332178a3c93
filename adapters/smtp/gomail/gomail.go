// Package saslgomail authenticates the SMTP clients of
// github.com/wneessen/go-mail with any mechanism of package sasl. With channel
// binding:
//
//	client, err := mail.NewClient("mail.example.org", mail.WithSMTPAuth(mail.SMTPAuthNoAuth), mail.WithTLSPolicy(mail.TLSMandatory))
//	smtpClient, err := client.DialToSMTPClientWithContext(ctx)
//	result, err := saslgomail.Authenticate(ctx, smtpClient, auth, saslsmtp.Existing{Host: "mail.example.org"})
//	err = client.SendWithSMTPClient(smtpClient, message)
//
// and without it, if the client is to connect by itself:
//
//	smtpAuth := saslgomail.Auth(ctx, "mail.example.org", auth)
//	client, err := mail.NewClient("mail.example.org", mail.WithSMTPAuthCustom(smtpAuth))
//	err = smtpAuth.Screen(client.DialAndSendWithContext(ctx, message))
package saslgomail

import (
	"context"

	"github.com/wneessen/go-mail/smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	sasl "github.com/saslkit/saslkit/core"
)

// Authenticate authenticates a client as saslsmtp.AuthenticateNet authenticates
// one of net/smtp, with the same errors. The client's debug log does not show the
// exchange.
func Authenticate(ctx context.Context, client *smtp.Client, auth *sasl.Client, existing saslsmtp.Existing) (sasl.Result, error) {
	return saslsmtp.AuthenticateText(ctx, client.Text, client, auth, existing)
}

// Auth makes an smtp.Auth of go-mail, with the limits of saslsmtp.Auth. Prefer
// Authenticate. The server counts as Secure if the library reports TLS and has the
// name host for the server, so the client's tls.Config has to verify that name.
//
// Pass the errors of the client through Screen of the value before a person sees
// them: the text of a refusal may repeat the password.
func Auth(ctx context.Context, host string, auth *sasl.Client) *MailAuth {
	return &MailAuth{saslsmtp.LoopAuth{Context: ctx, Client: auth, Host: host}}
}

// MailAuth is the smtp.Auth of go-mail that Auth makes.
type MailAuth struct{ saslsmtp.LoopAuth }

// Start is for go-mail.
func (a *MailAuth) Start(server *smtp.ServerInfo) (mechanism string, initial []byte, err error) {
	return a.Begin(server.Name, server.TLS, server.Auth)
}
