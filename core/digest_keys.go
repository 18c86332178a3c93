package sasl

import (
	"crypto/md5"
	"encoding/hex"
)

// The arithmetic of RFC 2831 s2.1.2.1, with the names of that section.

// digestValues returns the response-value of the client and that of the server
// (rspauth), in lower-case hexadecimal digits.
func (r *digestResponse) digestValues(password []byte) (client, server string) {
	// The username and the password are hashed in ISO 8859-1 if that charset has all
	// their characters, so that a stored hash is the same for HTTP. The realm is
	// hashed as sent.
	secret := digestH(digestText(r.username) + ":" + encodeText(r.realm, r.utf8) + ":" + digestText(string(password)))
	a1 := string(secret) + ":" + r.nonce + ":" + r.cnonce
	if r.authzid != "" {
		a1 += ":" + r.authzid
	}
	kd := func(a2 string) string {
		return digestHex(digestHex(a1) + ":" + r.nonce + ":" + digestNonceCount + ":" + r.cnonce + ":" + digestQOP + ":" + digestHex(a2))
	}
	return kd("AUTHENTICATE:" + r.uri), kd(":" + r.uri)
}

func digestH(text string) []byte {
	sum := md5.Sum([]byte(text))
	return sum[:]
}

func digestHex(text string) string { return hex.EncodeToString(digestH(text)) }

func digestText(text string) string {
	if latin1, ok := toLatin1(text); ok {
		return latin1
	}
	return text
}
