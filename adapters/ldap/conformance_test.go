package saslldap_test

import (
	"context"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const host = "ldap.example.org"

// TestConforms runs the conformance kit on a Client.
func TestConforms(t *testing.T) {
	sasltest.TestAdapter(t, sasltest.Adapter{
		Wire:        func(conn net.Conn) sasltest.Wire { return newWire(conn) },
		SuccessData: true,
		Conditions:  conditions(),
		Malformed:   malformed,
		Dial: func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
			c, err := saslldap.NewConn(ctx, conn, host, &saslldap.Options{StepTimeout: 5 * time.Second})
			if err != nil {
				return sasl.Result{}, err
			}
			return c.SASLBind(ctx, client)
		},
		Cannot: map[string]string{
			sasltest.CaseDeferred:            "every LDAP server takes initial responses",
			sasltest.CaseDeferredToChallenge: "the same",
		},
	})
}
