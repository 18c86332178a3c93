package sasl

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
)

// bearer is the client's mechanism of either name.
type bearer struct {
	format *bearerFormat
	source BearerSource
}

func (m bearer) Name() string { return m.format.name }

func (bearer) Properties() Properties { return bearerProperties }

func (m bearer) New(t Terms) Exchange {
	return &bearerExchange{bearer: m, terms: t}
}

// token asks the source and checks what it returns.
func (m bearer) token(ctx context.Context, srv *ServerInfo, refused Secret) (BearerToken, error) {
	if m.source == nil {
		return BearerToken{}, configError("%s has no source of tokens", m.format.name)
	}
	token, err := m.source(ctx, Prompt{Mechanism: m.format.name, Server: *srv, Refused: refused})
	if err != nil {
		return BearerToken{}, credentialError(ctx, err)
	}
	if m.format.needsName && token.Username == "" && token.Authzid == "" {
		return BearerToken{}, configError("the token has no username, and %s needs one", m.format.name)
	}
	return token, token.check()
}

// bearerExchange is the client's run of either mechanism. Its done after the first
// message becomes false if the error challenge comes.
type bearerExchange struct {
	bearer
	terms Terms
	asked bool // the source was
	sent  BearerToken
	err   error
}

func (x *bearerExchange) Identity() Identity {
	return Identity{Username: x.sent.Username, Authzid: x.sent.Authzid}
}

func (x *bearerExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	switch {
	case x.err != nil:
	case !x.asked:
		x.asked = true
		out, x.err = x.initiate(ctx)
		return out, x.err == nil, x.err
	default:
		out, x.err = x.answerError(in)
		return out, false, x.err
	}
	return nil, false, x.err
}

func (x *bearerExchange) initiate(ctx context.Context) ([]byte, error) {
	token, err := x.token(ctx, &x.terms.Server, Secret{})
	if err != nil {
		return nil, err
	}
	x.sent = token
	return x.format.format(bearerMessage{
		name: orElse(token.Authzid, token.Username),
		host: x.terms.Server.Host, port: x.terms.Server.Port,
		token: token.Token.Bytes(),
	}), nil
}

// answerError sends the dummy response (RFC 7628 s3.2.3), so that the server can
// refuse. The class of the error comes from the refusal.
func (x *bearerExchange) answerError(challenge []byte) ([]byte, error) {
	refusal, err := parseBearerError(challenge)
	if err != nil {
		return nil, protocolError("%s: the error challenge %w", x.format.name, err)
	}
	return x.format.dummy, refusal
}

var (
	errNotRenewable = errors.New("the source of the token cannot supply another one")
	errSameToken    = errors.New("the source supplied the refused token again")
)

// Renew asks the source for another token, after the server has refused this one.
func (x *bearerExchange) Renew(ctx context.Context) (Mechanism, error) {
	if !x.sent.Renewable {
		return nil, errNotRenewable
	}
	token, err := x.token(ctx, &x.terms.Server, x.sent.Token)
	if err != nil {
		return nil, fmt.Errorf("the source of the token supplied no other one: %w", err)
	}
	if subtle.ConstantTimeCompare(token.Token.Bytes(), x.sent.Token.Bytes()) == 1 {
		return nil, errSameToken
	}
	return bearer{x.format, func(context.Context, Prompt) (BearerToken, error) { return token, nil }}, nil
}

func (x *bearerExchange) SentSecrets() []Secret { return []Secret{x.sent.Token} }

// Hints is empty as long as no token was sent.
func (x *bearerExchange) Hints() []Hint {
	if len(x.sent.Token.Bytes()) == 0 {
		return nil
	}
	return []Hint{HintToken}
}

func (x *bearerExchange) Describe(message []byte) string {
	if bytes.Equal(message, x.format.dummy) {
		return "(the answer to the error challenge)"
	}
	if m, err := x.format.parse(string(message)); err == nil {
		return describeBearer(m)
	}
	if e, err := parseBearerError(message); err == nil {
		return e.words()
	}
	return "malformed"
}

func describeBearer(m bearerMessage) string {
	text := fmt.Sprintf("name=%q", m.name)
	if m.host != "" {
		text += fmt.Sprintf(" host=%q", m.host)
	}
	if m.port != 0 {
		text += fmt.Sprintf(" port=%d", m.port)
	}
	return text + " token=…"
}
