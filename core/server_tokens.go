package sasl

import (
	"context"
	"slices"
	"time"
)

// OfferTokens returns the names of the mechanisms that accept a token on the
// connection. A protocol lists these mechanisms separately from the mechanisms of
// Offer (XEP-0484 s3.1).
func (s *Server) OfferTokens(conn ConnInfo) []string {
	if s.Tokens == nil || s.Tokens.Store == nil || !conn.Secure {
		return nil
	}
	names := s.Tokens.Mechanisms
	if names == nil {
		names = tokensByPreference
	}
	var offered []string
	for _, name := range names {
		kind, known := tokenBindingTypes[name]
		if _, bindable := tokenBindingOf(name, conn.Bindings); known && (kind == "" || bindable) {
			offered = append(offered, name)
		}
	}
	return offered
}

// BeginWithToken is Begin for a protocol that carries tokens: BeginWithToken also
// accepts a mechanism that OfferTokens lists. For such a mechanism the error is an
// ErrPolicy if the client does not state its ClientID. If the ClientID is not
// UTF-8 or is over 1 KiB, the error is an ErrProtocol.
func (s *Server) BeginWithToken(ctx context.Context, conn ConnInfo, use TokenUse, mechanism string) (*ServerSession, error) {
	if err := checkName(use.ClientID); err != nil {
		return s.begin(conn, mechanism, nil, protocolError("the client's ID %w", err))
	}
	if !slices.Contains(s.OfferTokens(conn), mechanism) {
		return s.Begin(ctx, conn, mechanism)
	}
	if use.ClientID == "" {
		return s.begin(conn, mechanism, nil, classed(ErrPolicy, "%s needs a client that states its ID", mechanism))
	}
	return s.begin(conn, mechanism, &hashedTokenServer{mechanism, s.Tokens.Store, use}, nil)
}

// IssueToken makes a token for the authenticated client with this ID. The protocol
// sends the token with success. The mechanism is the mechanism that the client
// requests. If the client's own token expires soon, the mechanism is the mechanism
// of the login. Until the client uses the new token, the token in use stays valid
// too (XEP-0484 s3.5).
//
// The error is an ErrPolicy if the client has not authenticated, is anonymous, or
// has no valid ID, or if OfferTokens does not list the mechanism. A valid ID is at
// most 1 KiB of UTF-8 without NUL.
func (s *ServerSession) IssueToken(ctx context.Context, clientID, mechanism string, expiry time.Time) (Token, error) {
	switch {
	case !slices.Contains(s.server.OfferTokens(s.conn), mechanism):
		return Token{}, classed(ErrPolicy, "%q is not offered for a token on this connection", Printable(mechanism))
	case !s.done || s.err != nil:
		return Token{}, classed(ErrPolicy, "the client has not authenticated: issue no token")
	case withoutIdentity(s.name, &s.properties):
		return Token{}, classed(ErrPolicy, "the client has no identity: issue no token")
	case clientID == "":
		return Token{}, classed(ErrPolicy, "the client does not state its ID: issue no token")
	}
	if err := checkName(clientID); err != nil {
		return Token{}, classed(ErrPolicy, "the client's ID %w", err)
	}
	token := NewToken(mechanism, expiry)
	account := tokenAccountOf(&s.conn, s.exchange.Identity().Username, clientID)
	err := s.server.Tokens.Store.Update(ctx, account, func(tokens []Token) []Token {
		// The tokens after the token in use are newer, and were never used.
		return append(tokens[:min(len(tokens), maxTokens-1)], token)
	})
	if err != nil {
		return Token{}, withClass(err, ErrTemporary)
	}
	return token, nil
}
