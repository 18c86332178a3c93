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

// A server checks the passwords of PLAIN against the records of SCRAM, so it keeps one
// record for each user. A user without a record costs the same work.
func ExamplePlainRecordServer() {
	ctx := context.Background()
	record, err := sasl.DeriveSCRAM(ctx, sasl.SHA256, "pencil", nil, 4096) // normally from the user store
	if err != nil {
		fmt.Println(err)
		return
	}
	lookup := func(_ context.Context, _ sasl.Hash, username string) (*sasl.SCRAMRecord, error) {
		if username == "user" {
			return record, nil
		}
		return nil, nil
	}
	server := &sasl.Server{
		Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(sasl.SHA256, lookup), sasl.PlainRecordServer(lookup, sasl.SHA256)},
		Key:        sasl.NewSecret("sixteen octets.."),   // normally random, and kept as long as the users
		Stored:     sasl.StoredRecords{Iterations: 4096}, // as the records have, so that a made-up one costs the same
	}
	if err := server.Validate(); err != nil { // once, when the server starts
		fmt.Println(err)
		return
	}
	for _, message := range []string{"\x00user\x00pencil", "\x00user\x00pen", "\x00nobody\x00pencil"} {
		session, err := server.Begin(ctx, sasl.ConnInfo{Secure: true}, "PLAIN")
		if err != nil {
			fmt.Println(err)
			return
		}
		_, done, err := session.Respond(ctx, []byte(message))
		fmt.Println(done, sasl.ClassOf(err) == sasl.ErrAuthentication)
	}
	// Output:
	// true false
	// false true
	// false true
}
