package sasl

import (
	"bytes"
	"context"
	"unicode/utf8"
)

// LoginServer is the server's LOGIN mechanism (draft-murchison-sasl-login-00), for
// clients that have neither SCRAM nor PLAIN. Some clients send the username as the
// initial response; the server then asks for the password at once. The mechanism
// calls check as PlainServer does.
func LoginServer(check PasswordCheck) ServerMechanism { return loginServer{check} }

type loginServer struct{ check PasswordCheck }

func (loginServer) Name() string { return loginName }

func (m loginServer) Properties() Properties { return loginProperties.withCallback(m.check != nil) }

func (m loginServer) New(t ServerTerms) Exchange {
	return &loginServerExchange{check: m.check.orPrepared, terms: t}
}

// LoginRecordServer is the server's LOGIN mechanism for users whose passwords are
// stored as SCRAM records. The lookup, the hashes and the work for an unknown user
// are as those of PlainRecordServer.
func LoginRecordServer(lookup SCRAMLookup, hashes ...Hash) ServerMechanism {
	return &loginRecordServer{passwordRecords{lookup, hashes}}
}

type loginRecordServer struct{ records passwordRecords }

func (*loginRecordServer) Name() string { return loginName }

func (m *loginRecordServer) Properties() Properties { return m.records.declare(loginProperties) }

func (m *loginRecordServer) New(t ServerTerms) Exchange {
	return &loginServerExchange{check: m.records.checkFor(t.Stored), terms: t}
}

// The prompts of most servers. The draft has others, which some clients do not
// understand.
const (
	usernamePrompt = "Username:"
	passwordPrompt = "Password:"
)

type loginServerExchange struct {
	check    PasswordCheck
	terms    ServerTerms
	received int // messages: the username, the password
	claimed  Identity
	identity Identity
	err      error
}

func (x *loginServerExchange) Identity() Identity { return x.identity }

func (x *loginServerExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	if x.err != nil {
		return nil, false, x.err
	}
	if in == nil {
		return []byte(usernamePrompt), false, nil
	}
	x.received++
	switch x.received {
	case 1:
		out = []byte(passwordPrompt)
		x.err = x.name(string(in))
	case 2:
		done = true
		x.err = x.verify(ctx, in)
	default:
		x.err = protocolError("%s: a message after the password", loginName)
	}
	if x.err != nil {
		return nil, false, x.err
	}
	return out, done, nil
}

func (x *loginServerExchange) name(username string) (err error) {
	if username == "" {
		return protocolError("%s: the username is empty", loginName)
	}
	x.claimed, err = x.terms.Identity(username, "")
	return err
}

func (x *loginServerExchange) verify(ctx context.Context, password []byte) error {
	if len(password) == 0 || bytes.IndexByte(password, 0) >= 0 || !utf8.Valid(password) {
		return protocolError("%s: the password is empty, has a NUL or is not UTF-8", loginName)
	}
	if err := x.check(ctx, x.claimed.Username, NewSecret(password)); err != nil {
		return withClass(err, ErrTemporary)
	}
	x.identity = x.claimed
	return x.terms.Authorize(ctx, x.identity)
}
