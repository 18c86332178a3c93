package sasl

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// tokenRequest is asked for once the exchange has started. A token is for the
// one who authenticates, so a run for somebody else asks for none.
func (s *Session) tokenRequest() TokenRequest {
	if s.token != nil {
		return TokenRequest{Count: s.token.Count, Invalidate: s.client.Tokens.Invalidate}
	}
	if s.wanted != "" && !s.forTokenUser() {
		s.wanted = ""
	}
	return TokenRequest{Mechanism: s.wanted}
}

func (s *Session) forTokenUser() bool {
	id, user := s.exchange.Identity(), s.client.Tokens.Username
	prepared, err := stringprep.Name(user)
	named := id.Username == user || err == nil && id.Username == prepared
	return id.Authzid == "" && (named || id.Username == "" && s.mechanism.Name() != "ANONYMOUS")
}

// settleToken keeps the token that came with a success that is believed. The
// client is authenticated whatever becomes of it.
func (s *Session) settleToken() {
	mechanism := s.wanted
	if s.token != nil {
		mechanism = s.token.Mechanism // the server's rotation (XEP-0484 s3.5)
	} else if mechanism == "" || !s.forTokenUser() { // which a mechanism may know at its end only
		return
	}
	var kept []Token
	if s.issued != nil {
		kept = []Token{{Mechanism: mechanism, Secret: s.issued.Token, Expiry: s.issued.Expiry}}
	}
	switch leave := s.token != nil && s.client.Tokens.Invalidate; {
	case leave:
		s.dropToken()
	case kept == nil:
	case !kept[0].usable() || kept[0].expired(time.Now()):
		s.traceText(EventToken, "the server's token for "+mechanism+" cannot be used: not kept")
	default:
		err := s.client.Tokens.update(s.ctx, &s.terms.Server, func(before []Token) []Token {
			if i := slices.IndexFunc(before, kept[0].same); i >= 0 { // the one that there was, again
				kept[0].Count = before[i].Count
			}
			return kept
		})
		s.traceToken("token for "+mechanism+" kept", err)
	}
}

// refusesToken tells whether the error of a run says that the server does not
// take the token any more.
func (s *Session) refusesToken(err error) bool {
	if s.token == nil || !errors.As(err, new(*Failure)) {
		return false
	}
	class := ClassOf(err)
	return class == ErrAuthentication || class == ErrPolicy || class == ErrProtocol
}

// dropToken deletes the token of the run, unless another is there by now.
func (s *Session) dropToken() error {
	err := s.client.Tokens.update(s.ctx, &s.terms.Server, func(tokens []Token) []Token {
		return slices.DeleteFunc(tokens, s.token.same)
	})
	s.traceToken("token for "+s.token.Mechanism+" deleted", err)
	return err
}

func (s *Session) traceToken(text string, err error) {
	if err != nil {
		text += ": failed: " + Printable(err.Error())
	}
	s.traceText(EventToken, text)
}

// afterToken is the Client that goes on after a token that was sent; nil if it
// has nothing to go on with, with an error that says so.
func (c *Client) afterToken(srv *ServerInfo, failed error) (*Client, error) {
	next := c.withoutToken()
	if _, err := next.choose(srv); err != nil {
		return nil, fmt.Errorf("%w; nothing may follow: %v", failed, err)
	}
	return next, failed
}

func (c *Client) withoutToken() *Client {
	next := *c
	next.sentToken = true
	return &next
}
