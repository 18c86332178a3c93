// Package sasloauth2 makes the tokens of golang.org/x/oauth2 a [sasl.BearerSource],
// for a login with OAUTHBEARER (RFC 7628) or XOAUTH2.
//
// A source can supply another token after the server has refused one, if it knows
// how to get one: [FromConfig] with a refresh token, and [FromFunc]. An
// oauth2.TokenSource hides that, so a source of [FromTokenSource] cannot.
//
// An error of an authorization server that refuses the grant (invalid_grant) is a
// sasl.ErrAuthentication: the user has to grant access again. Another error of
// class 4xx of the authorization server is a sasl.ErrConfig, and every other one a
// sasl.ErrTemporary. The text of an error has the error code, and no body of an
// answer; errors.As finds the *oauth2.RetrieveError, which has the body.
package sasloauth2

import (
	"context"
	"errors"
	"fmt"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
	"golang.org/x/oauth2"
)

// FromConfig returns a source that begins with token, and asks the authorization
// server of config for another one with the refresh token, when the token has
// expired or a mail, chat or directory server has refused it. Without a refresh
// token it cannot.
//
// Refreshed is called with each new token before it is used, so that a program can
// store it: an authorization server may issue another refresh token, and the one
// before it may end then. Nil = no call. Two goroutines do not call it at
// the same time.
//
// The HTTP client is that of the login's context (oauth2.HTTPClient), and a request
// ends with that context.
func FromConfig(config *oauth2.Config, token *oauth2.Token, username string, refreshed func(*oauth2.Token)) sasl.BearerSource {
	if config == nil || token == nil {
		return failing(errNothing)
	}
	c := newCache(username, token)
	if token.RefreshToken == "" {
		return c.source
	}
	c.fetch = func(ctx context.Context, held *oauth2.Token) (*oauth2.Token, error) {
		fresh, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: held.RefreshToken}).Token()
		if err == nil && refreshed != nil {
			refreshed(fresh)
		}
		return fresh, err
	}
	return c.source
}

// FromFunc returns a source that calls fetch for the first token, and for another
// one when it has expired or a server has refused it. The Token method of a
// *clientcredentials.Config is such a func. Fetch returns a token that is newly
// issued, and ends with its context. It is not called by two goroutines at once.
func FromFunc(fetch func(context.Context) (*oauth2.Token, error), username string) sasl.BearerSource {
	if fetch == nil {
		return failing(errNothing)
	}
	c := newCache(username, nil)
	c.fetch = func(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) { return fetch(ctx) }
	return c.source
}

var errNothing = errors.New("there is nothing to get a token from")

func failing(err error) sasl.BearerSource {
	return func(context.Context, sasl.Prompt) (sasl.BearerToken, error) {
		return sasl.BearerToken{}, fmt.Errorf("%w: %w", sasl.ErrConfig, err)
	}
}

// bearer is a token in the form of sasl.
func bearer(token *oauth2.Token, username string, renewable bool) (sasl.BearerToken, error) {
	switch {
	case token == nil || token.AccessToken == "":
		return sasl.BearerToken{}, fmt.Errorf("%w: the source of golang.org/x/oauth2 returned no access token", sasl.ErrConfig)
	case !strings.EqualFold(token.Type(), "Bearer"):
		return sasl.BearerToken{}, fmt.Errorf("%w: the access token has the type %s and is no bearer token", sasl.ErrConfig, sasl.Printable(token.Type()))
	}
	return sasl.BearerToken{Username: username, Token: sasl.NewSecret(token.AccessToken), Renewable: renewable}, nil
}

// tokenError is an error of an authorization server, or on the way to it.
type tokenError struct {
	class sasl.Class
	text  string
	err   error
}

func (e *tokenError) Error() string   { return e.class.Error() + ": " + e.text }
func (e *tokenError) Unwrap() []error { return []error{e.class, e.err} }

// classify gives an error a class and a text without the body of an answer.
func classify(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		if sasl.ClassOf(err) != "" {
			return err
		}
		return fmt.Errorf("%w: %w", sasl.ErrTemporary, err)
	}
	class, text := sasl.ErrTemporary, "the authorization server refused to issue a token"
	if refused.Response != nil {
		text += " with " + sasl.Printable(refused.Response.Status)
		if code := refused.Response.StatusCode; code >= 400 && code < 500 && code != 408 && code != 429 {
			class = sasl.ErrConfig
		}
	}
	if refused.ErrorCode != "" {
		text += ": " + sasl.Printable(refused.ErrorCode)
	}
	if refused.ErrorCode == "invalid_grant" {
		class = sasl.ErrAuthentication
	}
	return &tokenError{class, text, err}
}
