package saslkerberos_test

import (
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
	"github.com/saslkit/saslkit/kerberos/krb5"
)

// A client that prefers Kerberos, with the tickets of kinit, to a password.
func Example() {
	client := &sasl.Client{Mechanisms: append(
		[]sasl.Mechanism{saslkerberos.GSSAPI(krb5.Cache("", nil), nil)},
		sasl.PasswordMechanisms(sasl.Password("alice", "secret"))...,
	)}
	fmt.Println(client.Mechanisms[0].Name())
	// Output: GSSAPI
}
