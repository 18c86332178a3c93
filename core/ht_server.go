package sasl

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
	"time"
)

// TokenUse is what a client says of its token beside the first message
// (XEP-0484 s3.4).
type TokenUse struct {
	ClientID   string // the id of its user-agent (XEP-0388); "" = not stated
	Count      uint64 // 0 = not stated
	Invalidate bool
	// EarlyData says that the message came in a 0-RTT payload of TLS, which can
	// be replayed: without a Count that rises it is refused.
	EarlyData bool
}

// HashedTokenServer is the server's mechanism of this name, which is
// HT-SHA-256-EXPR, -UNIQ, -ENDP or -NONE: a login with a token that
// ServerSession.IssueToken made. It is offered only where the connection is
// Secure, whatever Server.Insecure says, and has what the mechanism binds to.
func HashedTokenServer(mechanism string, store TokenStore) ServerMechanism {
	return &hashedTokenServer{mechanism, store}
}

type hashedTokenServer struct {
	name  string
	store TokenStore
}

func (m *hashedTokenServer) Name() string { return m.name }

func (m *hashedTokenServer) New(t ServerTerms) Exchange {
	x := &hashedTokenServerExchange{hashedTokenServer: m, terms: t}
	x.binding, _ = tokenBindingOf(m.name, t.Conn.Bindings)
	return x
}

func (m *hashedTokenServer) offered(conn *ConnInfo) bool {
	kind, known := tokenBindingTypes[m.name]
	_, bindable := tokenBindingOf(m.name, conn.Bindings)
	return conn.Secure && known && (kind == "" || bindable)
}

// tokenBindingOf is what a mechanism binds to, of these.
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

func (x *hashedTokenServerExchange) boundTo() string { return x.binding.Type }

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
	id, err := x.terms.identity(authcid, "")
	if err != nil {
		return err
	}
	refusal := classed(ErrAuthentication, "%s: there is no such token", x.name)
	err = x.store.Update(ctx, x.terms.Conn.tokenAccount(id.Username), func(tokens []Token) []Token {
		tokens, refusal = x.use(tokens, []byte(mac))
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

func (c *ConnInfo) tokenAccount(username string) TokenAccount {
	return TokenAccount{Service: c.Service, Host: c.Host, Username: username, ClientID: c.Token.ClientID}
}

// use finds the token of the message among those of the client, in the order
// in which they were issued, and returns what of them stays: the one in use
// first, and none that was issued or expires before it (XEP-0484 s3.5, s5.1).
func (x *hashedTokenServerExchange) use(tokens []Token, mac []byte) ([]Token, error) {
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
		return tokens, classed(ErrAuthentication, "%s: there is no such token", x.name)
	}
	used, use := tokens[found], x.terms.Conn.Token
	switch {
	case used.expired(time.Now()):
		return slices.Delete(tokens, found, found+1), &Failure{Class: ErrAuthentication, Condition: CredentialsExpired, Err: errExpired}
	case use.EarlyData && use.Count <= used.Count:
		return tokens, securityError("%s: early data with a count that does not rise: it may be a replay", x.name)
	}
	x.answer = tokenMAC(used, responder, x.binding.Data)
	used.Count = max(used.Count, use.Count)
	rest := slices.DeleteFunc(tokens[found+1:], func(t Token) bool {
		return !t.Expiry.IsZero() && t.Expiry.Before(used.Expiry)
	})
	if use.Invalidate {
		return rest, nil
	}
	return append([]Token{used}, rest...), nil // in front: it is the one in use
}

var errExpired = errors.New("the token has expired")

// nobodysToken is there so that the work for who does not exist, or has no
// token, is the same.
var nobodysToken = NewToken("", time.Time{})

// maxTokens is how many a client has at most: the one in use, and the one that
// was issued since.
const maxTokens = 2

func paddedTokens(tokens []Token) []Token {
	padded := append(make([]Token, 0, len(tokens)+maxTokens), tokens...)
	for len(padded) < maxTokens {
		padded = append(padded, nobodysToken)
	}
	return padded
}

// IssueToken makes a token for the client that has authenticated, to go out
// with success: for the mechanism that it asks for or, where its own is near
// its end, for the one that it logged in with. Until that is used, the one in
// use stays good too (XEP-0484 s3.5). ErrPolicy if the client has not
// authenticated, did so by ANONYMOUS or has no ClientID, or the server has no such
// mechanism on this connection.
func (s *ServerSession) IssueToken(ctx context.Context, mechanism string, expiry time.Time) (Token, error) {
	m, err := s.server.find(&s.conn, mechanism)
	issuer, ok := m.(*hashedTokenServer)
	switch {
	case err != nil:
		return Token{}, err
	case !ok:
		return Token{}, classed(ErrPolicy, "%s takes no token", mechanism)
	case !s.done || s.err != nil:
		return Token{}, classed(ErrPolicy, "a token for a client that has not authenticated")
	case s.name == "ANONYMOUS":
		return Token{}, classed(ErrPolicy, "a token for nobody")
	case s.conn.Token.ClientID == "":
		return Token{}, classed(ErrPolicy, "a token for a client that does not say which it is")
	}
	token := NewToken(mechanism, expiry)
	err = issuer.store.Update(ctx, s.conn.tokenAccount(s.exchange.Identity().Username), func(tokens []Token) []Token {
		// What follows the one in use was issued since, and never used.
		return append(tokens[:min(len(tokens), maxTokens-1)], token)
	})
	if err != nil {
		return Token{}, withClass(err, ErrTemporary)
	}
	return token, nil
}
