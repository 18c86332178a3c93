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
	return randomNonce("")
}

// newNonce returns the client's nonce, followed by 24 printable characters from 144
// random bits.
func (t *ServerTerms) newNonce(client string) string {
	if t.nonce != nil {
		return client + t.nonce()
	}
	return randomNonce(client)
}

func randomNonce(client string) string {
	var random [18]byte
	rand.Read(random[:]) // never fails
	var memory [usualMessage]byte
	return string(base64.StdEncoding.AppendEncode(append(memory[:0], client...), random[:]))
}
