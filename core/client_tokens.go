package sasl

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// tokenMemory is the memory of one login for the tokens of a Client.
type tokenMemory struct {
	tokens *Tokens // nil = the Client has no tokens
	conn   TokenInterface
	srv    *ServerInfo
	taken  Token  // the token of this login; the zero value = no token
	wanted string // the mechanism of the token to request; "" = request no token
}

func (m *tokenMemory) update(ctx context.Context, change func([]Token) []Token) error {
	account := TokenAccount{Service: m.srv.Service, Host: m.srv.Host, Username: m.tokens.Username}
	if err := m.tokens.Store.Update(ctx, account, change); err != nil {
		return credentialError(ctx, err)
	}
	return nil
}

// beforeInitiate sets the data to send together with the first message. A token
// belongs to the user who authenticates, so a run for another identity requests no
// token.
func (m *tokenMemory) beforeInitiate(s *Session) {
	switch {
	case s.chosen.remembered:
		m.conn.RequestTokens(TokenRequest{Count: m.taken.Count, Invalidate: m.tokens.Invalidate})
	case m.wanted != "" && m.isOwn(s):
		m.conn.RequestTokens(TokenRequest{Mechanism: m.wanted})
	default:
		m.wanted = ""
		m.conn.RequestTokens(TokenRequest{})
	}
}

// isOwn reports whether a run is for the user of the tokens.
func (m *tokenMemory) isOwn(s *Session) bool {
	id, user := s.exchange.Identity(), m.tokens.Username
	prepared, err := stringprep.Name(user)
	named := id.Username == user || err == nil && id.Username == prepared
	return id.Authzid == "" && (named || id.Username == "") && !withoutIdentity(s.chosen.name, &s.chosen.properties)
}

// succeeded stores the token issued with a verified success. A failure to store
// it does not undo the login.
func (m *tokenMemory) succeeded(s *Session) {
	mechanism := m.wanted
	if s.chosen.remembered {
		mechanism = m.taken.Mechanism // the server's rotation (XEP-0484 s3.5)
		if m.tokens.Invalidate {
			m.drop(s)
			return
		}
	} else if mechanism == "" || !m.isOwn(s) { // a mechanism may learn its identity only at the end
		return
	}
	issued := m.conn.IssuedToken()
	if issued == nil {
		return
	}
	kept := Token{Mechanism: mechanism, Secret: issued.Token, Expiry: issued.Expiry}
	if !kept.usable() || kept.expired(time.Now()) {
		s.trace.text(EventToken, "the server's token for "+mechanism+" cannot be used: not kept")
		return
	}
	err := m.update(s.ctx, func(before []Token) []Token {
		if i := slices.IndexFunc(before, kept.same); i >= 0 { // the server issued the same token again
			kept.Count = before[i].Count
		}
		return []Token{kept}
	})
	traceToken(s, "token for "+mechanism+" kept", err)
}

// failed deletes a token that the server does not accept any more.
func (m *tokenMemory) failed(s *Session, err error, inSync bool) error {
	if !inSync || !s.chosen.remembered || asFailure(err) == nil {
		return nil
	}
	switch ClassOf(err) {
	case ErrAuthentication, ErrPolicy, ErrProtocol:
	default:
		return nil
	}
	if m.drop(s) != nil {
		return err
	}
	return fmt.Errorf("%w; the token is deleted", err)
}

// drop deletes the token of the run, unless another run has replaced the token.
func (m *tokenMemory) drop(s *Session) error {
	err := m.update(s.ctx, func(tokens []Token) []Token { return slices.DeleteFunc(tokens, m.taken.same) })
	traceToken(s, "token for "+m.taken.Mechanism+" deleted", err)
	return err
}

func traceToken(s *Session, text string, err error) {
	if err != nil {
		text += ": failed: " + Printable(err.Error())
	}
	s.trace.text(EventToken, text)
}
