package saslldap_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// The client binds with the strongest mechanism of the server, with a binding to the
// TLS connection, and searches. After a refusal the client may bind again.
func ExampleDialURL() {
	ctx := context.Background()
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
	client, err := saslldap.DialURL(ctx, "ldap://ldap.example.org", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	result, err := client.SASLBind(ctx, auth)
	var refused *ldap.Error
	switch {
	case errors.As(err, &refused):
		log.Fatalf("refused with result code %d: %v", refused.ResultCode, err)
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println(result.Mechanism, result.Binding)
	found, err := client.Search(ldap.NewSearchRequest("dc=example,dc=org", ldap.ScopeWholeSubtree,
		ldap.NeverDerefAliases, 0, 0, false, "(uid=alice)", []string{"cn"}, nil))
	if err != nil {
		log.Fatal(err)
	}
	found.PrettyPrint(2)
}

// The SRV records of the domain name the servers, and the client knows them.
func ExampleDialDomain() {
	ctx := context.Background()
	client, err := saslldap.DialDomain(ctx, "example.org", &saslldap.Options{
		AcceptHost: func(_ context.Context, domain, host string) bool {
			return host == "dc1.example.org" || host == "dc2.example.org"
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
	if _, err := client.SASLBind(ctx, auth); err != nil {
		log.Fatal(err)
	}
}

// The connection comes from the caller, and a client certificate has the identity.
func ExampleNewConn() {
	ctx := context.Background()
	certificate, err := tls.LoadX509KeyPair("alice.pem", "alice.pem")
	if err != nil {
		log.Fatal(err)
	}
	dialer := tls.Dialer{Config: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	conn, err := dialer.DialContext(ctx, "tcp", "ldap.example.org:636")
	if err != nil {
		log.Fatal(err)
	}
	client, err := saslldap.NewConn(ctx, conn, "ldap.example.org", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.External("")}}
	if _, err := client.SASLBind(ctx, auth); err != nil {
		log.Fatal(err)
	}
}

// A server on the same machine identifies the user of its Unix socket.
func ExampleDialURL_socket() {
	ctx := context.Background()
	client, err := saslldap.DialURL(ctx, "ldapi:///", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.External("")}}
	if _, err := client.SASLBind(ctx, auth); err != nil {
		log.Fatal(err)
	}
	who, err := client.WhoAmI(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(who.AuthzID)
}
