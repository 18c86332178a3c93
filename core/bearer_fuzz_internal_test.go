package sasl

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
)

// FuzzBearerMessage shows that a server reads the same message again after a client
// has formatted it.
func FuzzBearerMessage(f *testing.F) {
	for _, seed := range []string{
		"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01",
		"y,a=a=2Cb=3Dc,\x01x=\x01auth=bearer  tok\x01\x01", "n,,\x01\x01", "user=a\x01auth=Bearer tok\x01\x01", "\x01", "n,,\x01auth=Bearer secret-token:a%20b@c\x01\x01",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		for _, format := range []*bearerFormat{&oauthBearer, &xoauth2} {
			m, err := format.parse(message)
			if err != nil {
				continue
			}
			if !isBearerToken(m.token) || m.port < 0 || m.port > 65535 || strings.Contains(m.host, kvsep) {
				t.Fatalf("%+v", m)
			}
			if len(m.name) > maxName/3 { // an escaped name may be too long
				continue
			}
			again, err := format.parse(string(format.format(m)))
			if err != nil || again.name != m.name || again.host != m.host || again.port != m.port || !bytes.Equal(again.token, m.token) {
				t.Fatalf("%s: %+v became %+v, %v", format.name, m, again, err)
			}
		}
	})
}

// FuzzBearerError: an error challenge is bounded and printable, and what a server
// writes of it reads the same.
func FuzzBearerError(f *testing.F) {
	for _, seed := range []string{
		`{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/.well-known/openid-configuration"}`,
		`{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}` + "\n",
		`{"a":[1,{"status":"x"}],"status":"\u001b\"","b":null}`, `{}`, `[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		e, err := parseBearerError(message)
		if err != nil {
			return
		}
		for _, field := range []string{e.Status, e.Scope, e.OpenIDConfiguration, e.Schemes} {
			if len(field) > 520 || strings.ContainsFunc(field, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("%q", field)
			}
		}
		again, err := parseBearerError(oauthBearer.challenge(e))
		if err != nil || again.Status != Printable(e.Status) || again.Scope != Printable(e.Scope) || again.OpenIDConfiguration != Printable(e.OpenIDConfiguration) {
			t.Fatalf("%+v became %+v, %v", e, again, err)
		}
	})
}
