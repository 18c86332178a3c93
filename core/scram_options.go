package sasl

import (
	"crypto/fips140"
	"strings"
)

// SCRAMOptions are the options of the SCRAM mechanisms of a Client. The zero
// value is the safe one.
type SCRAMOptions struct {
	// MinIterations is the least iteration count that the client accepts from a
	// server; 0 = 4096, the minimum of RFC 7677 s4. With a lower count, a hostile
	// server would get a proof that makes guessing the password cheap.
	MinIterations int
	// MaxIterations is the largest iteration count that the client accepts; 0 =
	// 2,000,000, which is above the highest published advice. The work is linear in
	// the count: about 0.17 s for a million with SHA-256, and 0.85 s with SHA3-512,
	// on a server core of 2024.
	MaxIterations int
	// RawPassword uses the password's bytes unchanged in the key derivation. The
	// default is SASLprep (RFC 5802 s2.2), which refuses characters that Unicode
	// 3.2 does not know. Some servers store passwords with such characters
	// unprepared.
	RawPassword bool
}

const (
	defaultMinIterations = 4096
	defaultMaxIterations = 2_000_000
)

// check checks the server's demands, before the client does any work for them.
func (o *SCRAMOptions) check(name, nonce string, first *serverFirst) error {
	least, most := o.MinIterations, o.MaxIterations
	if least == 0 {
		least = defaultMinIterations
	}
	if most == 0 {
		most = defaultMaxIterations
	}
	switch {
	case !strings.HasPrefix(first.nonce, nonce):
		return securityError("%s: the server's nonce does not begin with ours", name)
	case first.nonce == nonce:
		return securityError("%s: the server added nothing to our nonce", name)
	case first.iterations < least:
		return securityError("%s: the server asks for %d iterations, fewer than %d", name, first.iterations, least)
	case first.iterations > most:
		return securityError("%s: the server asks for more than %d iterations", name, most)
	case fips140.Enforced() && len(first.salt) < 16:
		return classed(ErrPolicy, "%s: FIPS 140 does not allow a salt of less than 16 octets", name)
	}
	return nil
}
