// Package jwt shows how a server verifies the tokens of OAUTHBEARER and XOAUTH2 if
// they are JSON Web Tokens (RFC 7519) with the claims of access tokens (RFC 9068
// s2.2). The typ of the header is not checked, because many issuers write JWT there:
// Audience and Scope keep ID tokens out. The package is an example to copy, in a module
// of its own, so that nothing else depends on a library for tokens.
package jwt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	sasl "github.com/saslkit/saslkit/core"
)

// Verifier says which tokens open a service. It needs each field but
// OpenIDConfiguration: without one, Verify refuses everybody with an ErrConfig.
type Verifier struct {
	// Issuer is the iss that a token must have.
	Issuer string
	// Audience is what must be in aud. It names this service, so that a token for
	// another one does not open it.
	Audience string
	// Scope must be in the token. A client with a refused token receives it.
	Scope string
	// Methods are the algorithms that are accepted, such as ES256. They must all fit
	// the keys of Key: a token must not choose how it is checked.
	Methods []string
	// Key returns the key for a key ID, which comes from the token and is unverified.
	// An error that wraps ErrUnknownKey refuses the token. Another one, such as that
	// the keys cannot be fetched, is temporary.
	Key func(ctx context.Context, kid string) (any, error)
	// OpenIDConfiguration is the URL by which a client finds the issuer; "" = none.
	OpenIDConfiguration string
}

// ErrUnknownKey says that no key of the issuer has the ID.
var ErrUnknownKey = errors.New("the issuer has no such key")

// claims are those of RFC 9068 that are used here.
type claims struct {
	jwt.RegisteredClaims
	Scope string `json:"scope"`
}

// Verify is a sasl.BearerVerifier. The user is the sub of the token.
func (v *Verifier) Verify(ctx context.Context, login sasl.BearerLogin) (string, error) {
	// The library takes an empty value as permission for all.
	if v.Issuer == "" || v.Audience == "" || v.Scope == "" || len(v.Methods) == 0 || v.Key == nil {
		return "", fmt.Errorf("%w: the Verifier is not complete; set Issuer, Audience, Scope, Methods and Key", sasl.ErrConfig)
	}
	var unavailable error
	key := func(token *jwt.Token) (any, error) {
		kid, _ := token.Header["kid"].(string)
		key, err := v.Key(ctx, kid)
		if err != nil && !errors.Is(err, ErrUnknownKey) {
			unavailable = err
		}
		return key, err
	}
	var c claims
	_, err := jwt.ParseWithClaims(string(login.Token.Bytes()), &c, key,
		jwt.WithValidMethods(v.Methods), jwt.WithIssuer(v.Issuer), jwt.WithAudience(v.Audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithStrictDecoding())
	switch {
	case unavailable != nil:
		return "", unavailable // not the token's fault
	case err != nil, c.Subject == "":
		return "", v.refuse("invalid_token")
	case !slices.Contains(strings.Fields(c.Scope), v.Scope):
		return "", v.refuse("insufficient_scope")
	}
	return c.Subject, nil
}

// refuse leaves out the reason of the library, which may repeat the token.
func (v *Verifier) refuse(status string) error {
	return &sasl.BearerError{Status: status, Scope: v.Scope, OpenIDConfiguration: v.OpenIDConfiguration}
}
