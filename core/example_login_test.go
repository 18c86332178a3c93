package sasl_test

import (
	"context"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// Under TLS, LOGIN reveals the same to a server as PLAIN. At the end of the list,
// LOGIN is used only with a server that offers neither SCRAM nor PLAIN.
func ExampleLogin() {
	credentials := sasl.Password("alice", "secret")
	auth := &sasl.Client{
		Mechanisms: append(sasl.PasswordMechanisms(credentials), sasl.Login(credentials)),
		Trace:      func(e sasl.Event) { fmt.Println(e) },
	}
	server := sasltest.NewPeer(
		sasltest.Line{Op: sasltest.ClientSends}, s("Username:"), c("alice"), s("Password:"), c("secret"), succeed,
	)
	result, err := auth.Authenticate(context.Background(), server, sasl.ServerInfo{Secure: true, Mechanisms: []string{"LOGIN", "NTLM"}})
	fmt.Println(result.Mechanism, result.Username, err)
	// Output:
	// -- LOGIN
	// C: (none)
	// S: prompt="Username:"
	// C: username="alice"
	// S: prompt="Password:"
	// C: password=…
	// S+ (none)
	// LOGIN alice <nil>
}
