package sasl

import (
	"context"
	"strings"
	"unicode/utf8"
)

// PlainServer is the server's PLAIN mechanism (RFC 4616). If check refuses the
// password as received, and SASLprep changes the password, the mechanism calls
// check once more with the prepared password.
//
// The check should do the same work for a user who does not exist as for a user
// who exists. PlainRecordServer has such a check for SCRAM records.
func PlainServer(check PasswordCheck) ServerMechanism { return plainServer{check} }

type plainServer struct{ check PasswordCheck }

func (plainServer) Name() string { return plainName }

func (m plainServer) Properties() Properties {
	return plain{}.Properties().withCallback(m.check != nil)
}

func (m plainServer) New(t ServerTerms) Exchange {
	return &plainServerExchange{check: m.check.orPrepared, terms: t}
}

type plainServerExchange struct {
	check PasswordCheck
	terms ServerTerms
	serverOnlyMessage
}

func (x *plainServerExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	return x.step(in, func(message string) error { return x.verify(ctx, message) })
}

func (x *plainServerExchange) verify(ctx context.Context, message string) error {
	parts := strings.Split(message, "\x00")
	if len(parts) != 3 || parts[1] == "" || parts[2] == "" || !utf8.ValidString(parts[2]) {
		return protocolError("%s: the message is not authzid NUL authcid NUL passwd, in UTF-8", plainName)
	}
	id, err := x.terms.Identity(parts[1], parts[0])
	if err != nil {
		return err
	}
	if err := x.check(ctx, id.Username, NewSecret(parts[2])); err != nil {
		return withClass(err, ErrTemporary)
	}
	x.identity = id
	return x.terms.Authorize(ctx, id)
}
