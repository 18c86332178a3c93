package sasl_test

import (
	"context"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// A program that logs in often keeps the keys of SCRAM. Its second login asks for no
// password, and derives no key.
func ExampleMemoryKeys() {
	credentials := func(context.Context, sasl.Prompt) (sasl.Credential, error) {
		return sasl.Credential{Username: "user", Password: func(context.Context) (sasl.Secret, error) {
			fmt.Println("the password is needed")
			return sasl.NewSecret("pencil"), nil
		}}, nil
	}
	auth := &sasl.Client{
		Mechanisms: sasl.PasswordMechanisms(credentials),
		Keys:       new(sasl.MemoryKeys), // one for all Clients of the program
	}
	auth.SetNonce(rfc7677Nonce) // for this example alone: the server repeats the one of RFC 7677
	for range 2 {
		server := sasltest.NewPeer(c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal), s(rfc7677ServerFinal), c(""), succeed)
		result, err := auth.Authenticate(context.Background(), server, sasl.ServerInfo{
			Service: "imap", Host: "mail.example.org", Secure: true, Mechanisms: []string{"SCRAM-SHA-256"},
		})
		fmt.Println(result.Mechanism, err)
	}
	// Output:
	// the password is needed
	// SCRAM-SHA-256 <nil>
	// SCRAM-SHA-256 <nil>
}
