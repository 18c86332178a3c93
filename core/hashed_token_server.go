package sasl

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
	"time"
)

// hashedTokenServer is the server's mechanism for one run.
type hashedTokenServer struct {
	name  string
	store TokenStore
	use   TokenUse
}

func (m *hashedTokenServer) Name() string { return m.name }

func (m *hashedTokenServer) Properties() Properties { return hashedTokenProperties }

func (m *hashedTokenServer) New(t ServerTerms) Exchange {
	x := &hashedTokenServerExchange{hashedTokenServer: m, terms: t}
	x.binding, _ = tokenBindingOf(m.name, t.Conn.Bindings)
	return x
}

// tokenBindingOf returns the binding among bindings that a mechanism uses.
func tokenBindingOf(mechanism string, bindings []ChannelBinding) (ChannelBinding, bool) {
	kind := tokenBindingTypes[mechanism]
	i := slices.IndexFunc(bindings, func(b ChannelBinding) bool { return b.Type == kind && len(b.Data) > 0 })
	if kind == "" || i < 0 {
		return ChannelBinding{}, false
	}
	return bindings[i], true
}

type hashedTokenServerExchange struct {
	*hashedTokenServer
	terms   ServerTerms
	binding ChannelBinding
	serverOnlyMessage
	answer []byte
}

func (x *hashedTokenServerExchange) BoundTo() string { return x.binding.Type }

func (x *hashedTokenServerExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	out, done, err = x.step(in, func(message string) error { return x.verify(ctx, message) })
	if done {
		return x.answer, true, nil
	}
	return out, false, err
}

func (x *hashedTokenServerExchange) verify(ctx context.Context, message string) error {
	authcid, mac, ok := strings.Cut(message, "\x00")
	if !ok || authcid == "" || mac == "" {
		return protocolError("%s: the message is not authcid NUL hashed-token", x.name)
	}
	id, err := x.terms.Identity(authcid, "")
	if err != nil {
		return err
	}
	refusal := classed(ErrAuthentication, "%s: an unknown token", x.name)
	err = x.store.Update(ctx, tokenAccountOf(&x.terms.Conn, id.Username, x.use.ClientID), func(tokens []Token) []Token {
		tokens, refusal = x.find(tokens, []byte(mac))
		return tokens
	})
	if err != nil {
		return withClass(err, ErrTemporary)
	}
	if refusal != nil {
		return refusal
	}
	x.identity = id
	return x.terms.Authorize(ctx, id)
}

func tokenAccountOf(conn *ConnInfo, username, clientID string) TokenAccount {
	return TokenAccount{Service: conn.Service, Host: conn.Host, Username: username, ClientID: clientID}
}

// find finds the token of the message among the tokens of the client, which are in
// the order of their issue. find returns the tokens to keep: first the token in
// use, then the tokens that were issued later and do not expire earlier (XEP-0484
// s3.5, s5.1).
func (x *hashedTokenServerExchange) find(tokens []Token, mac []byte) ([]Token, error) {
	found := -1
	for i, t := range paddedTokens(tokens) {
		if !t.usable() {
			continue
		}
		same := subtle.ConstantTimeCompare(mac, tokenMAC(t, initiator, x.binding.Data)) == 1
		if same && t.Mechanism == x.name {
			found = i
		}
	}
	if found < 0 {
		return tokens, classed(ErrAuthentication, "%s: an unknown token", x.name)
	}
	used, use := tokens[found], x.use
	switch {
	case used.expired(time.Now()):
		return slices.Delete(tokens, found, found+1), &Failure{Class: ErrAuthentication, Condition: CredentialsExpired, Err: errExpired}
	case use.EarlyData && use.Count <= used.Count:
		return tokens, securityError("%s: early data with a count that has not risen: the message may be a replay", x.name)
	}
	x.answer = tokenMAC(used, responder, x.binding.Data)
	used.Count = max(used.Count, use.Count)
	rest := slices.DeleteFunc(tokens[found+1:], func(t Token) bool {
		return !t.Expiry.IsZero() && t.Expiry.Before(used.Expiry)
	})
	if use.Invalidate {
		return rest, nil
	}
	return append([]Token{used}, rest...), nil // the token in use is the first
}

var errExpired = errors.New("the token has expired")

// dummyToken makes the work for an unknown user, or for a user without a token, as
// large as the work for other users.
var dummyToken = NewToken("", time.Time{})

// maxTokens is the maximum number of tokens of a client: the token in use, and the
// latest issued token.
const maxTokens = 2

func paddedTokens(tokens []Token) []Token {
	padded := append(make([]Token, 0, len(tokens)+maxTokens), tokens...)
	for len(padded) < maxTokens {
		padded = append(padded, dummyToken)
	}
	return padded
}
