package sasl

import (
	"crypto/fips140"
	"errors"
)

// The mechanisms with MD5 are historic (RFC 6331). An eavesdropper can test guesses of
// the password, and a server has to store the password or its equal.

var errMD5FIPS = errors.New("FIPS 140 does not allow MD5")

// historicProperties are those of a mechanism with MD5.
func historicProperties(provesServer bool) Properties {
	p := Properties{KeepsSecret: true, UsesPassword: true, ProvesServer: provesServer}
	if fips140.Enforced() {
		p.Unavailable = errMD5FIPS
	}
	return p
}

// hexDigits is the number of digits of an MD5 hash.
const hexDigits = 32

// isLowerHex reports whether a text is an MD5 hash in lower-case hexadecimal digits.
func isLowerHex(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(text) == hexDigits
}
