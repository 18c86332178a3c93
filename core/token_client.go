package sasl

import (
	"context"
	"math"
	"slices"
	"time"
)

// Tokens is how a Client uses tokens (XEP-0484). A token is used and asked for
// only where the server is Secure, and kept only after a run in which it has
// proved all that the mechanism demands.
//
// A token that the server refuses is deleted, and what of the Client's
// Mechanisms comes next follows in the same operation. One that was not used for
// another reason, such as a server that is busy, is kept. Nothing that hands the
// server a secret follows in an operation in which a token was sent, from Retry
// neither: PLAIN, LOGIN, OAUTHBEARER and XOAUTH2 are for the next one.
//
// A token has no authzid: it logs in as Username, and none is asked for in a run
// for somebody else. Where the Mechanisms act as another identity, leave it out.
type Tokens struct {
	Store    TokenStore
	Username string // whose tokens; the name that the mechanisms authenticate
	// Mechanisms are the ones to ask for a token for, and to log in with, most
	// preferred first. Nil = HT-SHA-256-EXPR, HT-SHA-256-UNIQ, HT-SHA-256-ENDP.
	// HT-SHA-256-NONE, which binds to nothing, is used only if it is named.
	Mechanisms []string
	// Invalidate asks the server to forget the token that is logged in with, and
	// deletes it: this was the last time. No other is asked for.
	Invalidate bool
}

// TokenInterface is an Interface of a protocol that carries tokens.
type TokenInterface interface {
	Interface
	// Tokens is called before each Initiate with what goes out beside it. A
	// token that the server returns is the Reply's.
	Tokens(TokenRequest)
}

// TokenRequest is what a client says of tokens beside its first message.
type TokenRequest struct {
	// Count says that the mechanism logs in with a token, and which time this
	// is: <fast count="…"/>. 0 = with something else.
	Count uint64
	// Invalidate goes with it.
	Invalidate bool
	// Mechanism is the one to ask for a token for: <request-token/>; "" = none.
	Mechanism string
}

// IssuedToken is a token as it arrived: <token/>.
type IssuedToken struct {
	Token  Secret
	Expiry time.Time // zero = not stated, or not legible
}

var tokensByPreference = []string{"HT-SHA-256-EXPR", "HT-SHA-256-UNIQ", "HT-SHA-256-ENDP"}

// chooseAny is choose, with a token first if there is one.
func (c *Client) chooseAny(ctx context.Context, srv *ServerInfo, tokens bool) (choice, error) {
	if tokens && !c.sentToken {
		if chosen, err := c.chooseToken(ctx, srv); err != nil || chosen.token != nil {
			return chosen, err
		}
	}
	return c.choose(srv)
}

// chooseToken takes the token that suits the server and the connection best out
// of the store, and counts its use.
func (c *Client) chooseToken(ctx context.Context, srv *ServerInfo) (choice, error) {
	if err := c.Tokens.check(); err != nil {
		return choice{}, err
	}
	names := c.tokenMechanisms(srv)
	if len(names) == 0 {
		return choice{}, nil
	}
	var chosen *Token
	err := c.Tokens.update(ctx, srv, func(tokens []Token) []Token {
		now := time.Now()
		tokens = slices.DeleteFunc(tokens, func(t Token) bool { return t.expired(now) || t.Count == math.MaxUint64 })
		for _, name := range names {
			i := slices.IndexFunc(tokens, func(t Token) bool { return t.Mechanism == name && t.usable() })
			if i >= 0 {
				tokens[i].Count++
				taken := tokens[i]
				chosen = &taken
				break
			}
		}
		return tokens
	})
	if err != nil || chosen == nil {
		return choice{}, err
	}
	m := &hashedToken{name: chosen.Mechanism, username: c.Tokens.Username, token: *chosen}
	if binding, bound := c.tokenBinding(chosen.Mechanism, srv); bound {
		return choice{mechanism: m, binding: binding, flag: 'p', token: chosen}, nil
	}
	return choice{mechanism: m, flag: 'n', token: chosen}, nil
}

func (t *Tokens) check() error {
	switch {
	case t.Store == nil:
		return configError("the Tokens have no store")
	case t.Username == "":
		return configError("the Tokens have no username")
	}
	for _, name := range t.Mechanisms {
		if _, known := tokenBindingTypes[name]; !known {
			return configError("%q is no mechanism for a token", Printable(name))
		}
	}
	return nil
}

func (t *Tokens) update(ctx context.Context, srv *ServerInfo, change func([]Token) []Token) error {
	account := TokenAccount{Service: srv.Service, Host: srv.Host, Username: t.Username}
	if err := t.Store.Update(ctx, account, change); err != nil {
		return credentialError(ctx, err)
	}
	return nil
}

// tokenMechanisms are those that the server offers and this connection and the
// policy allow, most preferred first.
func (c *Client) tokenMechanisms(srv *ServerInfo) []string {
	if !srv.Secure || srv.Host == "" { // XEP-0484 s6: whoever reads along could log in
		return nil
	}
	names := c.Tokens.Mechanisms
	if names == nil {
		names = tokensByPreference
	}
	var list []string
	for _, name := range names {
		_, bound := c.tokenBinding(name, srv)
		unbound := tokenBindingTypes[name] == ""
		switch {
		case !slices.Contains(srv.TokenMechanisms, name),
			unbound && c.Binding == RequireBinding,
			!unbound && (!bound || c.Binding == DisableBinding),
			c.Allow != nil && c.Allow(name, *srv) != nil:
		default:
			list = append(list, name)
		}
	}
	return list
}

// tokenBinding is what a mechanism binds to on this connection; false if it
// does not bind or there is no such binding.
func (c *Client) tokenBinding(mechanism string, srv *ServerInfo) (ChannelBinding, bool) {
	ours, err := c.ourBindings(srv)
	if err != nil {
		return ChannelBinding{}, false
	}
	for _, b := range ours {
		if b.Type == tokenBindingTypes[mechanism] {
			return b, true
		}
	}
	return ChannelBinding{}, false
}

// wantedToken is the mechanism to ask for a token for.
func (c *Client) wantedToken(srv *ServerInfo) string {
	if c.Tokens.Invalidate || c.Tokens.check() != nil {
		return ""
	}
	if names := c.tokenMechanisms(srv); len(names) > 0 {
		return names[0]
	}
	return ""
}
