package sasl_test

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// digestMessage is a digest-response, computed by the words of RFC 2831 s2.1.2.1 over
// texts in ISO 8859-1.
func digestMessage(username, realm, password, nonce, uri string) string {
	sum := func(text string) string {
		h := md5.Sum([]byte(text))
		return string(h[:])
	}
	hexSum := func(text string) string { return hex.EncodeToString([]byte(sum(text))) }
	a1 := sum(username+":"+realm+":"+password) + ":" + nonce + ":cnonce"
	response := hexSum(hexSum(a1) + ":" + nonce + ":00000001:cnonce:auth:" + hexSum("AUTHENTICATE:"+uri))
	return fmt.Sprintf(`username="%s",realm="%s",nonce="%s",nc=00000001,cnonce="cnonce",digest-uri="%s",response=%s,qop=auth`, username, realm, nonce, uri, response)
}

// TestDigestMD5Server: the realm and the nonce of a challenge, the users, and the
// services and hosts for which a login may be.
func TestDigestMD5Server(t *testing.T) {
	if !needsMD5(t, sasl.DigestMD5(nil)) {
		return
	}
	form := regexp.MustCompile(`^(?:realm="([^"]*)",)?nonce="([A-Za-z0-9+/]{24})",qop="auth",algorithm=md5-sess,charset=utf-8$`)
	seen := make(map[string]bool)
	for name, row := range map[string]struct {
		realm, host        string // of the server
		username, password string
		in, uri            string // the realm and the digest-uri of the response
		class              sasl.Class
	}{
		"all is right":         {"r", "h.example", "user", kitPassword, "r", "imap/h.example", ""},
		"names in any case":    {"r", "h.example", "user", kitPassword, "r", "IMAP/H.Example", ""},
		"the realm is a host":  {"", "h.example", "user", kitPassword, "h.example", "imap/h.example", ""},
		"no realm, any host":   {"", "", "user", kitPassword, "", "imap/whatever", ""},
		"another host":         {"r", "h.example", "user", kitPassword, "r", "imap/i.example", sasl.ErrSecurity},
		"another service":      {"r", "", "user", kitPassword, "r", "smtp/h.example", sasl.ErrSecurity},
		"another realm":        {"r", "", "user", kitPassword, "R", "imap/h", sasl.ErrAuthentication},
		"a wrong password":     {"r", "", "user", "another-Secret", "r", "imap/h", sasl.ErrAuthentication},
		"an unknown user":      {"r", "", "nobody", kitPassword, "r", "imap/h", sasl.ErrAuthentication},
		"unknown, no password": {"r", "", "nobody", "", "r", "imap/h", sasl.ErrAuthentication},
		"an invalid name":      {"r", "", strings.Repeat("a", 1025), kitPassword, "r", "imap/h", sasl.ErrProtocol},
		"8859-1 without prep":  {"r", "", "us\xader", kitPassword, "r", "imap/h", ""},
	} {
		server := &sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.DigestMD5Server(row.realm, passwordLookup("user", kitPassword))}}
		session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true, Service: "imap", Host: row.host}, "DIGEST-MD5")
		if err != nil {
			t.Fatal(err)
		}
		challenge, done, err := session.Respond(t.Context(), nil)
		parts := form.FindStringSubmatch(string(challenge))
		if parts == nil || done || err != nil || seen[parts[2]] {
			t.Fatalf("%s: %q, done %t, %v", name, challenge, done, err)
		}
		seen[parts[2]] = true
		if want := map[bool]string{true: row.host, false: row.realm}[row.realm == ""]; parts[1] != want {
			t.Errorf("%s: the realm is %q", name, parts[1])
		}
		proof, _, err := session.Respond(t.Context(), []byte(digestMessage(row.username, row.in, row.password, parts[2], row.uri)))
		if sasl.ClassOf(err) != row.class || (err == nil) != strings.HasPrefix(string(proof), "rspauth=") {
			t.Errorf("%s: %q, %v", name, proof, err)
		}
		if got := session.Result().Username; (got == "user") != (err == nil) {
			t.Errorf("%s: the result is %q", name, got)
		}
	}
}
