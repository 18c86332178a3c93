package sasl

import (
	"bytes"
	"context"
	"errors"
)

// BearerVerifier checks a token and returns the user that the token is for. It has
// to check everything that the token's issuer says about the token: the signature
// or the introspection, the expiry, and the audience, because a token for another
// service must not open this one.
//
// A *BearerError refuses the token, and its fields go to the client; so does an
// error of class ErrAuthentication, which the client sees as an invalid token. An
// error without a Class counts as ErrTemporary, for example because the
// introspection is down. An empty name is an ErrConfig.
type BearerVerifier func(ctx context.Context, login BearerLogin) (username string, err error)

// BearerLogin is what a client presents to log in with a token.
type BearerLogin struct {
	Token Secret // a b64token (RFC 6750 s2.1) or a secret-token URI (RFC 8959)
	// Host and Port are the address that the client states for its connection; ""
	// and 0 = not stated. XOAUTH2 has neither.
	Host string
	Port int
	Conn ConnInfo
}

// bearerServer is the server's mechanism of either name.
type bearerServer struct {
	format *bearerFormat
	verify BearerVerifier
}

func (m bearerServer) Name() string { return m.format.name }

func (m bearerServer) Properties() Properties { return bearerProperties.withCallback(m.verify != nil) }

func (m bearerServer) New(t ServerTerms) Exchange {
	return &bearerServerExchange{bearerServer: m, terms: t}
}

// bearerServerExchange has one message of the client, or two: the second answers
// the error challenge.
type bearerServerExchange struct {
	bearerServer
	terms      ServerTerms
	identity   Identity
	received   bool
	challenged bool // an error challenge has gone to the client
	err        error
}

func (x *bearerServerExchange) Identity() Identity { return x.identity }

func (x *bearerServerExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	switch {
	case x.challenged:
		x.challenged = false
		if !bytes.Equal(in, x.format.dummy) {
			x.err = protocolError("%s: the answer to the error challenge is not the one that the mechanism has", x.format.name)
		}
	case x.err != nil:
	case x.received:
		x.err = protocolError("%s: a second message after the token was accepted", x.format.name)
	case in == nil:
		return []byte{}, false, nil
	default:
		x.received = true
		if x.err = x.login(ctx, string(in)); x.err == nil {
			return nil, true, nil
		}
		out = x.challenge()
		x.challenged = out != nil
	}
	return out, false, x.err
}

func (x *bearerServerExchange) login(ctx context.Context, message string) error {
	m, err := x.format.parse(message)
	if err == nil {
		err = checkBearerName(m.name)
	}
	if err != nil {
		return protocolError("%s: %w", x.format.name, err)
	}
	username, err := x.verify(ctx, BearerLogin{Token: hide(m.token), Host: m.host, Port: m.port, Conn: x.terms.Conn})
	if err != nil {
		return refusedToken(err)
	}
	if username == "" {
		return configError("%s: the verifier accepted the token and returned no username", x.format.name)
	}
	id, err := x.terms.Identity(username, m.name)
	if err != nil {
		return err
	}
	x.identity = id
	return x.terms.Authorize(ctx, id)
}

// refusedToken gives a verifier's error its class.
func refusedToken(err error) error {
	if refusal := (*BearerError)(nil); errors.As(err, &refusal) {
		return withClass(err, ErrAuthentication)
	}
	return withClass(err, ErrTemporary)
}

// challenge returns the error challenge of a token that was refused; nil = the
// error is another one, and the server refuses without a challenge.
func (x *bearerServerExchange) challenge() []byte {
	if ClassOf(x.err) != ErrAuthentication {
		return nil
	}
	refusal := new(BearerError)
	errors.As(x.err, &refusal)
	return x.format.challenge(refusal)
}
