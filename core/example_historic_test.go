package sasl_test

import (
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
)

// A client that also has to log in to an old server appends the historic mechanisms to
// its list. The server has accounts in several realms.
func ExampleDigestMD5() {
	credentials := sasl.Password("alice", "secret").InRealm("example.org")
	auth := &sasl.Client{
		Mechanisms: append(sasl.PasswordMechanisms(credentials), sasl.DigestMD5(credentials), sasl.CRAMMD5(credentials)),
	}
	for _, m := range auth.Mechanisms[len(auth.Mechanisms)-3:] {
		fmt.Println(m.Name())
	}
	// Output:
	// PLAIN
	// DIGEST-MD5
	// CRAM-MD5
}
