package sasl

import (
	"crypto/fips140"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"errors"
	"hash"
)

// Hash is a hash function of a SCRAM mechanism.
type Hash uint8

// The hash functions of SCRAM: from RFC 5802, RFC 7677 and IANA's registry.
const (
	SHA1 Hash = iota + 1
	SHA224
	SHA256
	SHA384
	SHA512
	SHA3_512
)

var (
	errUnknownHash = configError("an invalid Hash: use one of the constants from SHA1 to SHA3_512")
	errSHA1FIPS    = errors.New("FIPS 140 does not allow SHA-1")
)

// hashesByPreference is the order of PasswordMechanisms.
var hashesByPreference = [...]Hash{SHA512, SHA3_512, SHA384, SHA256, SHA224, SHA1}

// String returns the hash's name as part of a mechanism's name, for example SHA-256
// or SHA3-512.
func (h Hash) String() string {
	switch h {
	case SHA1:
		return "SHA-1"
	case SHA224:
		return "SHA-224"
	case SHA256:
		return "SHA-256"
	case SHA384:
		return "SHA-384"
	case SHA512:
		return "SHA-512"
	case SHA3_512:
		return "SHA3-512"
	}
	return "unknown hash"
}

// Mechanism returns the name of the mechanism without channel binding, for
// example SCRAM-SHA-256.
func (h Hash) Mechanism() string { return "SCRAM-" + h.String() }

// Size returns the length of a hash in octets. Every key has the same length.
func (h Hash) Size() int {
	switch h {
	case SHA1:
		return sha1.Size
	case SHA224:
		return sha256.Size224
	case SHA256:
		return sha256.Size
	case SHA384:
		return sha512.Size384
	case SHA512, SHA3_512:
		return sha512.Size
	}
	panic("sasl: unknown Hash")
}

func (h Hash) hash() hash.Hash {
	switch h {
	case SHA1:
		return sha1.New()
	case SHA224:
		return sha256.New224()
	case SHA256:
		return sha256.New()
	case SHA384:
		return sha512.New384()
	case SHA512:
		return sha512.New()
	case SHA3_512:
		return sha3.New512()
	}
	panic("sasl: unknown Hash")
}

// unavailable returns the reason why this process cannot use the hash, or nil.
func (h Hash) unavailable() error {
	switch {
	case h < SHA1 || h > SHA3_512:
		return errUnknownHash
	case h == SHA1 && fips140.Enforced():
		return errSHA1FIPS
	}
	return nil
}
