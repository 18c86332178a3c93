package sasltest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// LongToken returns a second bearer token of the user of AllMechanisms: a JSON Web
// Token (RFC 7519) of 3 KiB, as authorization servers issue it for users with many
// groups. The key of its signature (HS256) is "the key of a long token".
func LongToken() string {
	encode := base64.RawURLEncoding.EncodeToString
	claims := `{"iss":"https://id.example.org","aud":"mail","sub":"user","scope":"mail","iat":1700000000,"exp":4102444800,"groups":"` +
		strings.Repeat("g", 2111) + `"}`
	signed := encode([]byte(`{"alg":"HS256","typ":"at+jwt","kid":"1"}`)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, []byte("the key of a long token"))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}
