package sasl

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// PasswordCheck checks the password of a user and returns nil if the password is
// right, or ErrAuthentication if the password is wrong. An error without a Class
// counts as ErrTemporary.
type PasswordCheck func(ctx context.Context, username string, password Secret) error

// PlainServer is the server's PLAIN mechanism (RFC 4616). If check refuses the
// password as received, and SASLprep changes the password, the mechanism calls
// check once more with the prepared password.
//
// The check should do the same work for a user who does not exist as for a user
// who exists. PlainRecordServer has such a check for SCRAM records.
func PlainServer(check PasswordCheck) ServerMechanism { return plainServer{check} }

type plainServer struct{ check PasswordCheck }

func (plainServer) Name() string { return plainName }

func (plainServer) Properties() Properties {
	return Properties{SingleMessage: true, Repeatable: true, UsesPassword: true}
}

func (m plainServer) New(t ServerTerms) Exchange {
	return &plainServerExchange{check: m.check, terms: t}
}

type plainServerExchange struct {
	check    PasswordCheck
	prepares bool // the check prepares the password itself
	terms    ServerTerms
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
	if err := x.checkPassword(ctx, id.Username, parts[2]); err != nil {
		return err
	}
	x.identity = id
	return x.terms.Authorize(ctx, id)
}

func (x *plainServerExchange) checkPassword(ctx context.Context, username, password string) error {
	err := x.check(ctx, username, NewSecret(password))
	if x.prepares || ClassOf(err) != ErrAuthentication {
		return withClassUnlessNil(err, ErrTemporary)
	}
	prepared, prepErr := stringprep.Stored(password)
	if prepErr != nil || prepared == password || prepared == "" {
		return err
	}
	return withClassUnlessNil(x.check(ctx, username, NewSecret(prepared)), ErrTemporary)
}
