package saslimap

import (
	"context"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// commandServer is core's server of a mechanism with the same message.
type commandServer struct{ sasl.ServerMechanism }

func (commandServer) Name() string { return LoginCommandName }

// TestLoginCommandMechanism runs the kit for authors of mechanisms.
func TestLoginCommandMechanism(t *testing.T) {
	const password = "hunter2-\"Secret\\"
	verify := func(_ context.Context, name string, sent sasl.Secret) error {
		if name != "user" || string(sent.Bytes()) != password {
			return sasl.ErrAuthentication
		}
		return nil
	}
	sasltest.TestMechanism(t, sasltest.MechanismKit{
		Mechanism: LoginCommand(sasl.Password("user", password)),
		Wrong:     LoginCommand(sasl.Password("user", "another-Secret")),
		Server:    &sasl.Server{Mechanisms: []sasl.ServerMechanism{commandServer{sasl.PlainServer(verify)}}},
		Conn:      sasl.ConnInfo{Service: "imap", Host: host, Secure: true, TLSVersion: 0x0304},
		Secrets:   []string{password}, Username: "user",
	})
}
