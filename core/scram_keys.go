package sasl

import (
	"bytes"
	"context"
	"crypto/fips140"
	"crypto/hmac"
	stdpbkdf2 "crypto/pbkdf2"
	"crypto/sha512"
	"crypto/subtle"

	"github.com/saslkit/saslkit/core/internal/pbkdf2"
)

// The arithmetic of RFC 5802 s3, in its names.
//
//	AuthMessage := client-first-message-bare + "," +
//	               server-first-message + "," +
//	               client-final-message-without-proof

// saltedPassword is SaltedPassword := Hi(Normalize(password), salt, i).
// The password is already normalised. The derivation ends early if the context ends.
func saltedPassword(ctx context.Context, h Hash, password, salt []byte, i int) ([]byte, error) {
	if fips140.Enabled() {
		return saltedPasswordFIPS(ctx, h, password, salt, i)
	}
	salted, err := hi[h].Key(ctx, password, salt, i)
	if err != nil {
		return nil, contextError(ctx)
	}
	return salted, nil
}

// hi is Hi(str, salt, i) for each hash, which is PBKDF2 with a dkLen of the hash's
// length (RFC 5802 s2.2).
var hi = [...]*pbkdf2.Function{
	SHA1: pbkdf2.New(SHA1.hash), SHA224: pbkdf2.New(SHA224.hash), SHA256: pbkdf2.New(SHA256.hash),
	SHA384: pbkdf2.New(SHA384.hash), SHA512: pbkdf2.New(SHA512.hash), SHA3_512: pbkdf2.New(SHA3_512.hash),
}

// saltedPasswordFIPS uses the approved derivation, which has no context. If the
// context ends, the derivation continues in the background until the key is
// complete.
func saltedPasswordFIPS(ctx context.Context, h Hash, password, salt []byte, i int) ([]byte, error) {
	type result struct {
		key []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		key, err := stdpbkdf2.Key(h.hash, string(password), salt, i, h.Size())
		done <- result{key, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, classed(ErrPolicy, "FIPS 140 does not allow this key derivation: %w", r.err)
		}
		return r.key, nil
	case <-ctx.Done():
		return nil, contextError(ctx)
	}
}

// The functions that return a hash append it to b. With the memory of a hashValue, a
// hash that is only compared or sent needs no allocation.

// hashValue is the memory of the largest hash.
type hashValue [sha512.Size]byte

// hmacOf is HMAC(key, str).
func hmacOf(b []byte, h Hash, key []byte, str string) []byte {
	if !fips140.Enabled() {
		return hi[h].MAC(b, key, str)
	}
	mac := hmac.New(h.hash, bytes.Clone(key)) // a copy: key may be on the stack of the caller
	mac.Write([]byte(str))
	return append(b, mac.Sum(nil)...)
}

// clientKey is ClientKey := HMAC(SaltedPassword, "Client Key").
func clientKey(h Hash, saltedPassword []byte) []byte {
	return hmacOf(nil, h, saltedPassword, "Client Key")
}

// serverKey is ServerKey := HMAC(SaltedPassword, "Server Key").
func serverKey(h Hash, saltedPassword []byte) []byte {
	return hmacOf(nil, h, saltedPassword, "Server Key")
}

// storedKey is StoredKey := H(ClientKey).
func storedKey(b []byte, h Hash, clientKey []byte) []byte {
	if !fips140.Enabled() {
		return hi[h].Hash(b, clientKey)
	}
	return append(b, hashOf(h, bytes.Clone(clientKey))...)
}

// hashOf is H(str).
func hashOf(h Hash, str []byte) []byte {
	sum := h.hash()
	sum.Write(str)
	return sum.Sum(nil)
}

// clientProof is ClientProof := ClientKey XOR HMAC(StoredKey, AuthMessage).
// The same function turns a ClientProof back into the ClientKey.
func clientProof(b []byte, h Hash, clientKey, storedKey []byte, authMessage string) []byte {
	proof := hmacOf(b, h, storedKey, authMessage)
	subtle.XORBytes(proof[len(b):], proof[len(b):], clientKey)
	return proof
}

// serverSignature is ServerSignature := HMAC(ServerKey, AuthMessage).
func serverSignature(b []byte, h Hash, serverKey []byte, authMessage string) []byte {
	return hmacOf(b, h, serverKey, authMessage)
}
