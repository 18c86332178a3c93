package sasl_test

import (
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestExampleMechanism runs the kit for authors of mechanisms over the Example.
func TestExampleMechanism(t *testing.T) {
	other := sasl.NewSecret("another key of fourteen octets or more")
	sasltest.TestMechanism(t, sasltest.MechanismKit{
		Mechanism: keyClient{"alice", exampleKey}, Wrong: keyClient{"alice", other},
		Server: keyExample(), Conn: sasl.ConnInfo{Secure: true, Host: "example.org"},
		Secrets: []string{string(exampleKey.Bytes())}, Username: "alice",
	})
}
