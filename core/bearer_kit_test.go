package sasl_test

import (
	"context"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

const kitToken = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

// TestBearerMechanisms runs the kit for authors of mechanisms over both.
func TestBearerMechanisms(t *testing.T) {
	verify := func(_ context.Context, login sasl.BearerLogin) (string, error) {
		if string(login.Token.Bytes()) != kitToken {
			return "", &sasl.BearerError{Status: "invalid_token", Scope: "mail"}
		}
		return "user", nil
	}
	servers := map[string]sasl.ServerMechanism{
		"OAUTHBEARER": sasl.OAuthBearerServer(verify), "XOAUTH2": sasl.XOAuth2Server(verify),
	}
	wrong := sasl.BearerMechanisms(sasl.FixedBearerToken("user", "another.token.that_is-wrong"))
	for i, m := range sasl.BearerMechanisms(sasl.FixedBearerToken("user", kitToken)) {
		t.Run(m.Name(), func(t *testing.T) {
			sasltest.TestMechanism(t, sasltest.MechanismKit{
				Mechanism: m, Wrong: wrong[i], Server: serverOf(servers[m.Name()]), Conn: kitConn,
				Secrets: []string{kitToken}, Username: "user", Authzid: "user", // the name is stated
			})
		})
	}
}
