package saslgomail_test

import (
	"context"
	"fmt"
	"log"

	"github.com/wneessen/go-mail"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	saslgomail "github.com/saslkit/saslkit/adapters/smtp/gomail"
	sasl "github.com/saslkit/saslkit/core"
)

// With channel binding: the connection is made first, then authenticated, then
// used.
func ExampleAuthenticate() {
	ctx := context.Background()
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
	client, err := mail.NewClient("mail.example.org", mail.WithSMTPAuth(mail.SMTPAuthNoAuth), mail.WithTLSPolicy(mail.TLSMandatory))
	if err != nil {
		log.Fatal(err)
	}
	smtpClient, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseWithSMTPClient(smtpClient)
	result, err := saslgomail.Authenticate(ctx, smtpClient, auth, saslsmtp.Existing{Host: "mail.example.org"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Mechanism, result.Binding)
	if err := client.SendWithSMTPClient(smtpClient, mail.NewMsg()); err != nil {
		log.Fatal(err)
	}
}

// If the client is to connect by itself. Screen withholds a text of the server that
// repeats the password.
func ExampleAuth() {
	ctx := context.Background()
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
	smtpAuth := saslgomail.Auth(ctx, "mail.example.org", auth)
	client, err := mail.NewClient("mail.example.org", mail.WithTLSPolicy(mail.TLSMandatory), mail.WithSMTPAuthCustom(smtpAuth))
	if err != nil {
		log.Fatal(err)
	}
	if err := smtpAuth.Screen(client.DialAndSendWithContext(ctx, mail.NewMsg())); err != nil {
		log.Fatal(err)
	}
}
