package saslsmtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	netsmtp "net/smtp"
	"strings"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	sasl "github.com/saslkit/saslkit/core"
)

// A client from the address to the mail: it uses the strongest mechanism that the
// server has, bound to the TLS connection.
func Example() {
	ctx := context.Background()
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
	conn, err := saslsmtp.DialStartTLS(ctx, "mail.example.org:587", nil)
	if err != nil {
		log.Fatal(err)
	}
	result, err := conn.Authenticate(ctx, auth)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Mechanism, result.Binding)
	client := conn.Client()
	defer client.Close()
	err = client.SendMail("alice@example.org", []string{"bob@example.org"}, strings.NewReader("Subject: hello\r\n\r\nhello\r\n"))
	if err != nil {
		log.Fatal(err)
	}
}

// The address is enough: the SRV records of its domain name the server.
func ExampleDialDomain() {
	ctx := context.Background()
	conn, err := saslsmtp.DialDomain(ctx, "example.org", nil)
	if err != nil {
		log.Fatal(err)
	}
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice@example.org", "secret"))}
	if _, err := conn.Authenticate(ctx, auth); err != nil {
		log.Fatal(err)
	}
	conn.Client().Close()
}

// A client of go-smtp that exists already: it uses the strongest mechanism that the server has,
// bound to the TLS connection. After a refusal the same client may try again.
func ExampleAuthenticate() {
	ctx := context.Background()
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
	client, err := smtp.DialStartTLS("mail.example.org:587", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	result, err := saslsmtp.Authenticate(ctx, client, auth, saslsmtp.Existing{Host: "mail.example.org"})
	var reply *saslsmtp.Reply
	switch {
	case errors.As(err, &reply):
		log.Fatalf("refused with %d %v: %v", reply.Code, reply.Enhanced, err)
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println(result.Mechanism, result.Binding)
}

// A client of net/smtp that exists already, in place of its own Auth.
func ExampleAuthenticateNet() {
	ctx := context.Background()
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
	client, err := netsmtp.Dial("mail.example.org:587")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := client.StartTLS(&tls.Config{ServerName: "mail.example.org"}); err != nil {
		log.Fatal(err)
	}
	_, err = saslsmtp.AuthenticateNet(ctx, client, auth, saslsmtp.Existing{Host: "mail.example.org"})
	if err != nil {
		log.Fatal(err)
	}
}

// SendMail accepts only an Auth. Screen withholds a text of the server that repeats
// the password.
func ExampleAuth() {
	ctx := context.Background()
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
	smtpAuth := saslsmtp.Auth(ctx, "mail.example.org", auth)
	err := netsmtp.SendMail("mail.example.org:587", smtpAuth,
		"alice@example.org", []string{"bob@example.org"}, []byte("Subject: hello\r\n\r\nhello\r\n"))
	if err := smtpAuth.Screen(err); err != nil {
		log.Fatal(err)
	}
}
