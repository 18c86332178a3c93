package saslldap_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// A client from the URL to the search: StartTLS, and the strongest mechanism
// that the server has, bound to the TLS connection.
func Example() {
	ctx := context.Background()
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
	client, err := saslldap.DialURL(ctx, "ldap://ldap.example.org", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	result, err := client.SASLBind(ctx, auth)
	switch {
	case errors.Is(err, sasl.ErrAuthentication):
		log.Fatal("wrong password: ", err)
	case errors.Is(err, sasl.ErrSecurity):
		log.Fatal("somebody is in between, do not try again: ", err)
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println(result.Mechanism, result.Binding)
	client.Search(ldap.NewSearchRequest("dc=example,dc=org", ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(uid=bob)", nil, nil))
}

// As whoever runs the program, on the machine of the server.
func ExampleDialURL_socket() {
	ctx := context.Background()
	client, err := saslldap.DialURL(ctx, "ldapi://%2Frun%2Fslapd%2Fldapi", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if _, err := client.SASLBind(ctx, &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.External("")}}); err != nil {
		log.Fatal(err)
	}
}
