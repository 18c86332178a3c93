package saslimap_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/emersion/go-imap/v2/imapclient"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	"github.com/saslkit/saslkit/channelbinding/transport"
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

// The address is enough: the SRV records of its domain name the server. The user knows
// that the provider's server is the right one.
func ExampleDialDomain() {
	ctx := context.Background()
	conn, err := saslimap.DialDomain(ctx, "example.org", &saslimap.Options{
		AcceptHost: func(_ context.Context, domain, host string) bool { return host == "imap.provider.example" },
	})
	var unknown *transport.HostError
	switch {
	case errors.As(err, &unknown):
		log.Fatalf("is %s the right server for %s?", unknown.Host, unknown.Domain)
	case errors.Is(err, transport.ErrNoServer):
		log.Fatal("the name of the server is necessary: ", err)
	case err != nil:
		log.Fatal(err)
	}
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice@example.org", "secret"))}
	if _, err := conn.Authenticate(ctx, auth); err != nil {
		log.Fatal(err)
	}
	conn.Client(nil).Close()
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
