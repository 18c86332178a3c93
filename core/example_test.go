package sasl_test

import (
	"context"
	"errors"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// A user logs in. Normally the connection comes from an adapter, such as saslimap. In
// this example, the connection is a server that refuses the password.
func Example() {
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
	conn := sasltest.NewPeer(
		sasltest.Line{Op: sasltest.ClientSends, Data: []byte("\x00alice\x00secret")},
		sasltest.Line{Op: sasltest.Refuse, Condition: sasl.NotAuthorized},
	)
	server := sasl.ServerInfo{Service: "imap", Host: "mail.example.org", Secure: true, Mechanisms: []string{"PLAIN", "GSSAPI"}}

	result, err := auth.Authenticate(context.Background(), conn, server)
	if err == nil {
		fmt.Println("authenticated with", result.Mechanism)
		return
	}
	fmt.Println(err)
	switch sasl.ClassOf(err) {
	case sasl.ErrAuthentication:
		fmt.Println("ask for another password")
	case sasl.ErrTemporary, sasl.ErrConnection:
		fmt.Println("try again later")
	}
	var login *sasl.LoginError
	if errors.As(err, &login) {
		for _, hint := range login.Hints {
			fmt.Println("hint:", hint.Text())
		}
		for _, p := range login.PassedOver {
			fmt.Printf("not used: %s: %v\n", p.Mechanism, p.Reason)
		}
	}
	// Output:
	// authentication error: refused with not-authorized
	// ask for another password
	// hint: the username or the password may be wrong
	// not used: GSSAPI: this library does not have it
}
