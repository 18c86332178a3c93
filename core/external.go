package sasl

import (
	"context"
	"fmt"
)

// External is the client's EXTERNAL mechanism (RFC 4422 appendix A): the
// server takes the identity from the layer below, such as a client
// certificate or the peer of a Unix socket. The authzid is the identity to act
// as; empty = the identity that the layer below proved.
func External(authzid string) Mechanism { return external(authzid) }

type external string

const externalName = "EXTERNAL"

func (external) Name() string { return externalName }

func (external) Properties() Properties { return externalProperties }

// externalProperties: the proof of the identity stays in the layer below.
var externalProperties = Properties{SingleMessage: true, Repeatable: true, KeepsSecret: true}

func (authzid external) New(Terms) Exchange { return &externalExchange{authzid: string(authzid)} }

type externalExchange struct {
	onlyMessage
	authzid string
}

func (x *externalExchange) Step(context.Context, []byte) (out []byte, done bool, err error) {
	return x.step(func() ([]byte, error) {
		if err := checkName(x.authzid); err != nil {
			return nil, configError("the authzid %w", err)
		}
		x.identity.Authzid = x.authzid
		return []byte(x.authzid), nil
	})
}

func (x *externalExchange) SentSecrets() []Secret { return nil }

func (x *externalExchange) Describe(message []byte) string { return describeAuthzid(message) }

func describeAuthzid(message []byte) string { return fmt.Sprintf("authzid=%q", message) }
