package sasl

import (
	"crypto/fips140"
	"strings"
)

// SCRAMOptions are the options of the SCRAM mechanisms of a Client. The zero
// value is the safe one.
type SCRAMOptions struct {
	// MinIterations is the least iteration count that is accepted of a server;
	// 0 = 4096, the minimum of RFC 7677 s4. A server that may choose a lower
	// one harvests a proof that is cheap to try passwords on.
	MinIterations int
	// MaxIterations is the most that is accepted; 0 = 2,000,000, which is above
	// the highest published advice. The work is linear in it: about 0.17 s a
	// million for SHA-256, 0.85 s for SHA3-512 on a server core of 2024.
	MaxIterations int
	// RawPassword sends the password's bytes into the key derivation as they
	// are. The default is SASLprep (RFC 5802 s2.2), which refuses characters
	// that Unicode 3.2 does not know; some servers store those unprepared.
	RawPassword bool
}

const (
	defaultMinIterations = 4096
	defaultMaxIterations = 2_000_000
)

// check looks at what the server demands, before any work is done for it.
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
