package sasl

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// SCRAMRecord is what a server stores of a password to offer SCRAM with one
// hash (RFC 5802 s3). Package verifier knows its text form.
type SCRAMRecord struct {
	Hash       Hash
	Salt       []byte
	Iterations int
	StoredKey  Secret
	ServerKey  Secret
}

// MaxStoredIterations bounds the iteration count of a stored record: every check
// of a password costs as much. It is five times what a Client accepts by default
// (SCRAMOptions.MaxIterations).
const MaxStoredIterations = 10_000_000

// DeriveSCRAM makes the record of a password, which it prepares with SASLprep
// as a stored string. A nil salt is a random one of 16 octets. Iterations are
// 4096 at least where the record is for logging in from other software
// (RFC 7677 s4); the work of every login is linear in them.
//
// The error is ErrConfig for a password or a count that cannot be used,
// ErrPolicy where FIPS 140 forbids the derivation, ErrConnection if ctx ended.
func DeriveSCRAM(ctx context.Context, h Hash, password string, salt []byte, iterations int) (*SCRAMRecord, error) {
	prepared, err := stringprep.Stored(password)
	switch {
	case err != nil:
		return nil, configError("the password %w", err)
	case prepared == "":
		return nil, configError("the password is empty")
	case iterations < 1 || iterations > MaxStoredIterations:
		return nil, configError("%d is an invalid number of iterations: use 4096 to %d", iterations, MaxStoredIterations)
	case h.usable() != nil:
		return nil, withClass(h.usable(), ErrPolicy)
	}
	if salt == nil {
		salt = make([]byte, 16)
		rand.Read(salt)
	}
	salted, err := saltedPassword(ctx, h, []byte(prepared), salt, iterations)
	if err != nil {
		return nil, err
	}
	return &SCRAMRecord{
		Hash:       h,
		Salt:       salt,
		Iterations: iterations,
		StoredKey:  NewSecret(storedKey(h, clientKey(h, salted))),
		ServerKey:  NewSecret(serverKey(h, salted)),
	}, nil
}

// Check compares the password with the record: nil if it is right,
// ErrAuthentication if not, which makes it usable in a PasswordCheck. A record
// with a count over MaxStoredIterations is ErrTemporary, and costs nothing.
func (r *SCRAMRecord) Check(ctx context.Context, password Secret) error {
	if r.Iterations < 1 || r.Iterations > MaxStoredIterations {
		return classed(ErrTemporary, "the stored record has an invalid number of iterations")
	}
	derived, err := DeriveSCRAM(ctx, r.Hash, string(password.Bytes()), r.Salt, r.Iterations)
	if ClassOf(err) == ErrConfig { // the empty password, or one that has never been stored
		return classed(ErrAuthentication, "%w", err)
	}
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(derived.StoredKey.Bytes(), r.StoredKey.Bytes()) != 1 {
		return classed(ErrAuthentication, "the password is wrong")
	}
	return nil
}

// CheckUnknown does the work of SCRAMRecord.Check for a user who does not exist,
// with a record of the hash that is made up, and returns ErrAuthentication. It
// keeps a PasswordCheck from showing by its time which users exist. Errors are
// those of SCRAMRecord.Check.
func (s StoredRecords) CheckUnknown(ctx context.Context, h Hash, password Secret) error {
	iterations, saltSize := s.sizes()
	nobody := SCRAMRecord{Hash: h, Salt: make([]byte, saltSize), Iterations: iterations}
	return nobody.Check(ctx, password) // no key of the hash's size equals its empty one
}

// sizes returns the iteration count and the octets of salt of the stored records.
func (s StoredRecords) sizes() (iterations, saltSize int) {
	iterations, saltSize = s.Iterations, s.SaltSize
	if iterations == 0 {
		iterations = defaultMinIterations
	}
	if saltSize == 0 {
		saltSize = 16
	}
	return iterations, saltSize
}

// madeUp is the record that an unknown user seems to have: always the same for
// a name, and for both mechanisms of a hash, and not to be had without the
// server's key.
func (t *ServerTerms) madeUp(h Hash, username string) (*SCRAMRecord, error) {
	iterations, saltSize := t.Stored.sizes()
	material, err := hkdf.Key(sha256.New, t.Key.Bytes(), nil, "saslkit "+h.Mechanism()+"\x00"+username, saltSize+2*h.Size())
	if err != nil {
		return nil, configError("Server.Stored.SaltSize: %w", err)
	}
	salt, keys := material[:saltSize], material[saltSize:]
	return &SCRAMRecord{
		Hash:       h,
		Salt:       salt,
		Iterations: iterations,
		StoredKey:  NewSecret(keys[:h.Size()]),
		ServerKey:  NewSecret(keys[h.Size():]),
	}, nil
}
