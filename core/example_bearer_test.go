package sasl_test

import (
	"context"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// A source that makes a new token each time it is asked says that its tokens are
// Renewable. If the server refuses one, the login asks for another and tries once
// more. The passwords come into play only with a server that takes no token.
func ExampleBearerSource() {
	number := 0
	source := func(ctx context.Context, prompt sasl.Prompt) (sasl.BearerToken, error) {
		number++ // in a program: ask the authorization server, or run a command
		token := fmt.Sprintf("ya29.%d", number)
		return sasl.BearerToken{Username: "alice@example.org", Token: sasl.NewSecret(token), Renewable: true}, nil
	}
	auth := &sasl.Client{
		Mechanisms: append(sasl.BearerMechanisms(source), sasl.PasswordMechanisms(sasl.Password("alice", "secret"))...),
		Trace:      func(e sasl.Event) { fmt.Println(e) },
	}
	server := sasltest.NewPeer(
		c("user=alice@example.org\x01auth=Bearer ya29.1\x01\x01"), s(`{"status":"401","schemes":"bearer"}`), c(""), refuse(sasl.NotAuthorized),
		c("user=alice@example.org\x01auth=Bearer ya29.2\x01\x01"), succeed,
	)
	result, err := auth.Authenticate(context.Background(), server, sasl.ServerInfo{Secure: true, Mechanisms: []string{"PLAIN", "XOAUTH2"}})
	fmt.Println(result.Mechanism, result.Username, err)
	// Output:
	// -- XOAUTH2
	// C: name="alice@example.org" token=…
	// S: status 401, schemes bearer
	// C: (empty)
	// S! not-authorized
	// -- XOAUTH2
	// C: name="alice@example.org" token=…
	// S+ (none)
	// XOAUTH2 alice@example.org <nil>
}
