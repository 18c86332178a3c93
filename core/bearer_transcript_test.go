package sasl_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// bearerMechanism is the real mechanism with a transcript's token.
func bearerMechanism(t *testing.T, tr *sasltest.Transcript) sasl.Mechanism {
	for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken(tr.Username, tr.Bearer).ActingAs(tr.Authzid)) {
		if m.Name() == tr.MechanismName {
			return m
		}
	}
	t.Fatalf("no mechanism %s for a token", tr.MechanismName)
	return nil
}

// bearerVerifier knows the token of a transcript. If the server has an error
// challenge in the transcript, the verifier refuses the token with the data of that challenge.
func bearerVerifier(tr *sasltest.Transcript, username string) sasl.BearerVerifier {
	return func(_ context.Context, login sasl.BearerLogin) (string, error) {
		if string(login.Token.Bytes()) != tr.Bearer || login.Host != tr.Host && tr.MechanismName == "OAUTHBEARER" || login.Port != tr.Port {
			return "", errors.New("another token, host or port")
		}
		for _, line := range tr.Lines {
			if line.Op != sasltest.Challenge || len(line.Data) == 0 {
				continue
			}
			var words map[string]string
			if err := json.Unmarshal(line.Data, &words); err != nil {
				return "", err
			}
			return "", &sasl.BearerError{
				Status: words["status"], Scope: words["scope"],
				OpenIDConfiguration: words["openid-configuration"], Schemes: words["schemes"],
			}
		}
		return username, nil
	}
}
