package jwt_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	library "github.com/golang-jwt/jwt/v5"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
	"github.com/saslkit/saslkit/examples/jwt"
)

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

var issuerKey = newKey()

const sharedKey = "a key that both sides know, of 32 octets"

var errDown = errors.New("the issuer is down")

func newVerifier() *jwt.Verifier {
	return &jwt.Verifier{
		Issuer: "https://id.example.org", Audience: "imap://mail.example.org", Scope: "mail", Methods: []string{"ES256"},
		OpenIDConfiguration: "https://id.example.org/.well-known/openid-configuration",
		Key: func(_ context.Context, kid string) (any, error) {
			switch kid {
			case "2026":
				return &issuerKey.PublicKey, nil
			case "shared":
				return []byte(sharedKey), nil
			case "later":
				return nil, errDown
			}
			return nil, jwt.ErrUnknownKey
		},
	}
}

// rightClaims are those of a token that is good.
func rightClaims() library.MapClaims {
	return library.MapClaims{
		"iss": "https://id.example.org", "aud": "imap://mail.example.org", "sub": "alice", "scope": "openid mail",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
}

func sign(method library.SigningMethod, key any, kid string, claims library.MapClaims) string {
	token := library.NewWithClaims(method, claims)
	token.Header["kid"] = kid
	text, err := token.SignedString(key)
	if err != nil {
		panic(err)
	}
	return text
}

func issue(change func(library.MapClaims)) string {
	claims := rightClaims()
	change(claims)
	return sign(library.SigningMethodES256, issuerKey, "2026", claims)
}

// An IMAP, SMTP, LDAP or XMPP server takes the mechanisms from here; how it hands
// them to its library, the adapters show.
func Example() {
	verifier := newVerifier()
	server := &sasl.Server{Mechanisms: []sasl.ServerMechanism{
		sasl.OAuthBearerServer(verifier.Verify), sasl.XOAuth2Server(verifier.Verify),
	}}
	conn := sasl.ConnInfo{Service: "imap", Host: "mail.example.org", Secure: true}
	for _, token := range []string{
		issue(func(library.MapClaims) {}),
		issue(func(c library.MapClaims) { c["exp"] = time.Now().Add(-time.Hour).Unix() }),
	} {
		session, err := server.Begin(context.Background(), conn, "OAUTHBEARER")
		if err != nil {
			panic(err)
		}
		challenge, done, err := session.Respond(context.Background(), []byte("n,a=alice,\x01auth=Bearer "+token+"\x01\x01"))
		fmt.Printf("%q %t %v %q\n", session.Result().Username, done, err, challenge)
	}
	// Output:
	// "alice" true <nil> ""
	// "" false <nil> "{\"status\":\"invalid_token\",\"scope\":\"mail\",\"openid-configuration\":\"https://id.example.org/.well-known/openid-configuration\"}"
}

// nextDigit is the digit of base64url that differs only in the bits that the end of
// a signature does not use.
func nextDigit(digit byte) byte {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return digits[strings.IndexByte(digits, digit)^1]
}

// TestVerify: what opens the service, and what does not.
func TestVerify(t *testing.T) {
	good := issue(func(library.MapClaims) {})
	header, rest, _ := strings.Cut(good, ".")
	for name, row := range map[string]struct {
		token  string
		status string // "" = accepted, or another error
		err    error
	}{
		"good":               {token: good},
		"several audiences":  {token: issue(func(c library.MapClaims) { c["aud"] = []string{"x", "imap://mail.example.org"} })},
		"large":              {token: issue(func(c library.MapClaims) { c["groups"] = strings.Repeat("g", 3000) })},
		"expired":            {token: issue(func(c library.MapClaims) { c["exp"] = time.Now().Add(-time.Minute).Unix() }), status: "invalid_token"},
		"without an end":     {token: issue(func(c library.MapClaims) { delete(c, "exp") }), status: "invalid_token"},
		"not yet":            {token: issue(func(c library.MapClaims) { c["nbf"] = time.Now().Add(time.Hour).Unix() }), status: "invalid_token"},
		"of tomorrow":        {token: issue(func(c library.MapClaims) { c["iat"] = time.Now().Add(24 * time.Hour).Unix() }), status: "invalid_token"},
		"another issuer":     {token: issue(func(c library.MapClaims) { c["iss"] = "https://evil.example" }), status: "invalid_token"},
		"another service":    {token: issue(func(c library.MapClaims) { c["aud"] = "https://calendar.example.org" }), status: "invalid_token"},
		"no audience":        {token: issue(func(c library.MapClaims) { delete(c, "aud") }), status: "invalid_token"},
		"nobody":             {token: issue(func(c library.MapClaims) { delete(c, "sub") }), status: "invalid_token"},
		"another scope":      {token: issue(func(c library.MapClaims) { c["scope"] = "mailbox" }), status: "insufficient_scope"},
		"no scope":           {token: issue(func(c library.MapClaims) { delete(c, "scope") }), status: "insufficient_scope"},
		"another's key":      {token: sign(library.SigningMethodES256, newKey(), "2026", rightClaims()), status: "invalid_token"},
		"an unknown key":     {token: sign(library.SigningMethodES256, issuerKey, "2025", rightClaims()), status: "invalid_token"},
		"no signature":       {token: sign(library.SigningMethodNone, library.UnsafeAllowNoneSignatureType, "2026", rightClaims()), status: "invalid_token"},
		"another algorithm":  {token: sign(library.SigningMethodHS256, []byte(sharedKey), "shared", rightClaims()), status: "invalid_token"},
		"trailing bits":      {token: good[:len(good)-1] + string(nextDigit(good[len(good)-1])), status: "invalid_token"},
		"cut":                {token: good[:len(good)-4], status: "invalid_token"},
		"another header":     {token: header[:len(header)-2] + "A." + rest, status: "invalid_token"},
		"no JWT":             {token: "hello", status: "invalid_token"},
		"the issuer is down": {token: sign(library.SigningMethodES256, issuerKey, "later", rightClaims()), err: errDown},
	} {
		username, err := newVerifier().Verify(t.Context(), sasl.BearerLogin{Token: sasl.NewSecret(row.token)})
		var refusal *sasl.BearerError
		switch errors.As(err, &refusal); {
		case row.err != nil && (!errors.Is(err, row.err) || refusal != nil):
			t.Errorf("%s: %v, want %v", name, err, row.err)
		case row.status != "" && (refusal == nil || refusal.Status != row.status || refusal.Scope != "mail" || username != ""):
			t.Errorf("%s: %q, %v, want %s", name, username, err, row.status)
		case row.status == "" && row.err == nil && (err != nil || username != "alice"):
			t.Errorf("%s: %q, %v", name, username, err)
		}
		if err != nil && strings.Contains(err.Error(), row.token) {
			t.Errorf("%s: the token is in %v", name, err)
		}
	}
}

// TestIncompleteVerifier: a verifier that lacks a field opens the service for nobody, not
// even for a good token.
func TestIncompleteVerifier(t *testing.T) {
	for name, forget := range map[string]func(*jwt.Verifier){
		"Issuer":   func(v *jwt.Verifier) { v.Issuer = "" },
		"Audience": func(v *jwt.Verifier) { v.Audience = "" },
		"Scope":    func(v *jwt.Verifier) { v.Scope = "" },
		"Methods":  func(v *jwt.Verifier) { v.Methods = nil },
		"Key":      func(v *jwt.Verifier) { v.Key = nil },
	} {
		verifier := newVerifier()
		forget(verifier)
		token := issue(func(library.MapClaims) {})
		if username, err := verifier.Verify(t.Context(), sasl.BearerLogin{Token: sasl.NewSecret(token)}); !errors.Is(err, sasl.ErrConfig) || username != "" {
			t.Errorf("without %s: %q, %v", name, username, err)
		}
	}
}

// TestLongToken: the token of 3 KiB, with which the adapters are tested, is real.
func TestLongToken(t *testing.T) {
	verifier := &jwt.Verifier{
		Issuer: "https://id.example.org", Audience: "mail", Scope: "mail", Methods: []string{"HS256"},
		Key: func(context.Context, string) (any, error) { return []byte("the key of a long token"), nil },
	}
	token := sasltest.LongToken()
	if len(token) < 3<<10 {
		t.Errorf("%d octets", len(token))
	}
	if name, err := verifier.Verify(t.Context(), sasl.BearerLogin{Token: sasl.NewSecret(token)}); err != nil || name != "user" {
		t.Errorf("%q, %v", name, err)
	}
	if name, err := verifier.Verify(t.Context(), sasl.BearerLogin{Token: sasl.NewSecret(token[:len(token)-1])}); err == nil {
		t.Errorf("without its end: %q", name)
	}
}
