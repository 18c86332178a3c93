package harness

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"time"
)

// Issuer signs JSON Web Tokens (RFC 7519) with ES256, as an authorization server does.
type Issuer struct{ key *ecdsa.PrivateKey }

// NewIssuer makes an issuer whose tokens no server takes.
func NewIssuer() *Issuer { return &Issuer{newKey()} }

// Token returns a token that a server takes for alice, unless claims say otherwise. They replace the claims of the same
// names.
func (i *Issuer) Token(claims map[string]any) string {
	now := time.Now().Unix()
	all := map[string]any{
		"iss": "https://id.example.org", "sub": "alice", "aud": "mail", "scope": "openid mail", "iat": now - 60, "exp": now + 3600,
	}
	maps.Copy(all, claims)
	signed := part(map[string]string{"typ": "at+jwt", "alg": "ES256", "kid": "2026"}) + "." + part(all)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, digest[:])
	signature := make([]byte, 64) // RFC 7518 s3.4
	must(r, err).FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func part(v any) string { return base64.RawURLEncoding.EncodeToString(must(json.Marshal(v))) }

// publicPEM is what a server reads to validate the tokens.
func (i *Issuer) publicPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(&i.key.PublicKey))})
}

// The paths at which the configurations with tokens have the issuer's key, and the tests the introspection.
const (
	issuerKeyPath     = "/etc/dovecot/oauth2-keys/default/ES256/2026"
	introspectionPath = "/usr/local/bin/introspection.pl"
)

//go:embed introspection.pl
var introspection []byte
