package sasl

import (
	"crypto/rand"
	"encoding/base64"
)

// newNonce returns 24 printable characters from 144 random bits.
func (t *Terms) newNonce() string {
	if t.nonce != nil {
		return t.nonce()
	}
	return randomNonce()
}

func (t *ServerTerms) newNonce() string {
	if t.nonce != nil {
		return t.nonce()
	}
	return randomNonce()
}

func randomNonce() string {
	var random [18]byte
	rand.Read(random[:]) // never fails
	var nonce [24]byte
	base64.StdEncoding.Encode(nonce[:], random[:])
	return string(nonce[:])
}
