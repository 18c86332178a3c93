package sasl

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// Plain is the client's PLAIN mechanism (RFC 4616). The client sends the password
// to the server without preparation.
func Plain(credentials Credentials) Mechanism { return plain{credentials} }

type plain struct{ credentials Credentials }

const plainName = "PLAIN"

func (plain) Name() string { return plainName }

func (plain) Properties() Properties {
	return Properties{SingleMessage: true, Repeatable: true, UsesPassword: true}
}

func (m plain) New(t Terms) Exchange {
	return &plainExchange{credentials: m.credentials, terms: t}
}

type plainExchange struct {
	onlyMessage
	credentials Credentials
	terms       Terms
	sent        Secret // the message
}

func (x *plainExchange) Step(ctx context.Context, _ []byte) (out []byte, done bool, err error) {
	return x.step(func() ([]byte, error) { return x.message(ctx) })
}

// message is [authzid] UTF8NUL authcid UTF8NUL passwd.
func (x *plainExchange) message(ctx context.Context) ([]byte, error) {
	c, err := x.credentials.credential(ctx, plainName, &x.terms.Server)
	if err != nil {
		return nil, err
	}
	password, err := c.unpreparedPassword(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.checkNames(); err != nil {
		return nil, err
	}
	message := make([]byte, 0, len(c.Authzid)+1+len(c.Username)+1+len(password))
	message = append(append(message, c.Authzid...), 0)
	message = append(append(message, c.Username...), 0)
	message = append(message, password...)
	x.identity = Identity{Username: c.Username, Authzid: c.Authzid}
	x.sent = hide(message)
	return message, nil
}

func (x *plainExchange) SentSecrets() []Secret {
	message := x.sent.Bytes()
	return []Secret{hide(message[bytes.LastIndexByte(message, 0)+1:])}
}

func (x *plainExchange) Describe(message []byte) string { return describePlain(message) }

func describePlain(message []byte) string {
	authzid, rest, ok1 := strings.Cut(string(message), "\x00")
	username, _, ok2 := strings.Cut(rest, "\x00")
	if !ok1 || !ok2 {
		return "malformed"
	}
	return fmt.Sprintf("authzid=%q username=%q password=…", authzid, username)
}
