package saslimap_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/emersion/go-imap/v2/imapclient"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	sasl "github.com/saslkit/saslkit/core"
)

// A client from the address to the mailbox: it uses the strongest mechanism
// that the server has, bound to the TLS connection.
func Example() {
	ctx := context.Background()
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
	conn, err := saslimap.DialTLS(ctx, "mail.example.org:993", nil)
	if err != nil {
		log.Fatal(err)
	}
	result, err := conn.Authenticate(ctx, auth)
	switch {
	case errors.Is(err, sasl.ErrAuthentication):
		log.Fatal("wrong password: ", err)
	case errors.Is(err, sasl.ErrSecurity):
		log.Fatal("somebody is in between, do not try again: ", err)
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println(result.Mechanism, result.Binding)
	client := conn.Client(nil)
	defer client.Close()
	client.Select("INBOX", nil).Wait()
}

// A client that exists already.
func ExampleAuthenticate() {
	ctx := context.Background()
	auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("alice", "secret"))}}
	client, err := imapclient.DialTLS("mail.example.org:993", nil)
	if err != nil {
		log.Fatal(err)
	}
	// DialTLS of the library verified the host, and does not show its TLS state.
	_, err = saslimap.Authenticate(ctx, client, auth, saslimap.Existing{Host: "mail.example.org", Secure: true})
	if err != nil {
		log.Fatal(err)
	}
}

// A server without AUTH=, or with none that the client has, may know the LOGIN
// command.
func ExampleLoginCommand() {
	ctx := context.Background()
	credentials := sasl.Password("alice", "secret")
	auth := &sasl.Client{Mechanisms: append(sasl.PasswordMechanisms(credentials), saslimap.LoginCommand(credentials))}
	conn, err := saslimap.DialTLS(ctx, "mail.example.org:993", &saslimap.Options{LoginCommand: true})
	if err != nil {
		log.Fatal(err)
	}
	result, err := conn.Authenticate(ctx, auth)
	if err != nil {
		log.Fatal(err)
	}
	if result.Mechanism == saslimap.LoginCommandName {
		log.Print("the server has no mechanism of ours")
	}
}
