package sasl

import (
	"bytes"
	"context"
	"fmt"
)

// LOGIN, which draft-murchison-sasl-login-00 describes:
//
//	S: a prompt
//	C: username
//	S: a prompt
//	C: password
//
// The prompts are text for people, and each server has its own. The client counts
// the prompts and does not read them.

// Login is the client's LOGIN mechanism (draft-murchison-sasl-login-00), for a server
// that offers neither SCRAM nor PLAIN. The client sends the password to the server
// without preparation, as PLAIN does, and the server proves nothing. LOGIN has no
// authzid: credentials with an Authzid are an ErrConfig.
//
// The client sends the username and the password in answer to the server's first
// two challenges, of any text. A third challenge is an ErrProtocol.
// PasswordMechanisms does not return LOGIN: append it to that list.
func Login(credentials Credentials) Mechanism { return loginMechanism{credentials, false} }

// LoginInitialResponse is Login, with the username as the initial response. The
// server's first challenge then asks for the password. Use it only for a server that
// demands this form: another server takes the password for the username, and may
// write it to a log. The protocol must carry initial responses: in IMAP without
// SASL-IR the login is an ErrProtocol.
func LoginInitialResponse(credentials Credentials) Mechanism {
	return loginMechanism{credentials, true}
}

type loginMechanism struct {
	credentials Credentials
	nameFirst   bool // the username is the initial response
}

const loginName = "LOGIN"

func (loginMechanism) Name() string { return loginName }

func (loginMechanism) Properties() Properties { return loginProperties }

// loginProperties: LOGIN reveals the same to a server as PLAIN. It is not Repeatable: a
// server that did not read the initial response asks for the username with a text.
var loginProperties = Properties{UsesPassword: true}

func (m loginMechanism) New(t Terms) Exchange { return &loginExchange{loginMechanism: m, terms: t} }

type loginExchange struct {
	loginMechanism
	terms    Terms
	begun    bool
	sent     int // messages: the username, the password
	username string
	password Secret
	err      error
}

func (x *loginExchange) Step(ctx context.Context, _ []byte) (out []byte, done bool, err error) {
	switch {
	case x.err != nil:
	case !x.begun:
		x.begun = true
		if x.err = x.ask(ctx); x.err == nil && !x.nameFirst {
			return nil, false, nil
		}
	case x.sent == 2:
		x.err = protocolError("%s: a challenge after the password: the server asks for more than a username and a password", loginName)
	}
	if x.err != nil {
		return nil, false, x.err
	}
	x.sent++
	if x.sent == 1 {
		return []byte(x.username), false, nil
	}
	return x.password.Bytes(), true, nil
}

// ask gets the username and the password before anything is sent.
func (x *loginExchange) ask(ctx context.Context) error {
	c, err := x.credentials.credential(ctx, loginName, &x.terms.Server)
	if err != nil {
		return err
	}
	if err := c.checkNames(); err != nil {
		return err
	}
	if err := c.checkNoAuthzid(loginName); err != nil {
		return err
	}
	password, err := c.unpreparedPassword(ctx)
	x.username, x.password = c.Username, NewSecret(password)
	return err
}

func (x *loginExchange) Identity() Identity { return Identity{Username: x.username} }

func (x *loginExchange) SentSecrets() []Secret {
	if x.sent < 2 {
		return nil
	}
	return []Secret{x.password}
}

// Describe cannot see from a message whether the message is the password. A username
// that is the password too is therefore not shown.
func (x *loginExchange) Describe(message []byte) string {
	switch {
	case bytes.Equal(message, x.password.Bytes()):
		return "password=…"
	case string(message) == x.username:
		return fmt.Sprintf("username=%q", message)
	}
	return fmt.Sprintf("prompt=%q", message)
}
