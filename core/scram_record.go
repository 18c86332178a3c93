package sasl

import (
	"context"
	"crypto/rand"
	"crypto/subtle"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// SCRAMRecord is the data that a server stores instead of a password, for SCRAM
// with one hash (RFC 5802 s3). Package verifier reads and writes the text form of a
// SCRAMRecord.
type SCRAMRecord struct {
	Hash       Hash   // of the mechanism
	Salt       []byte // of the key derivation
	Iterations int    // of the key derivation
	StoredKey  Secret // the hash of the ClientKey
	ServerKey  Secret // what the server proves itself with
}

// MaxStoredIterations limits the iteration count of a stored record: the work of
// every check of a password is proportional to the count. MaxStoredIterations is
// five times the default limit of a Client (SCRAMOptions.MaxIterations).
const MaxStoredIterations = 10_000_000

// DeriveSCRAM makes the record of a password. DeriveSCRAM prepares the password
// with SASLprep as a stored string. If the salt is nil, DeriveSCRAM makes a random
// salt of 16 octets. Use at least 4096 iterations if other software logs in with
// the record (RFC 7677 s4). The work of every login is linear in the iterations.
//
// The error is an ErrConfig if the password or the count is invalid, an ErrPolicy
// if FIPS 140 forbids the derivation, and an ErrConnection if ctx ended.
func DeriveSCRAM(ctx context.Context, h Hash, password string, salt []byte, iterations int) (*SCRAMRecord, error) {
	prepared, err := stringprep.Stored(password)
	switch {
	case err != nil:
		return nil, configError("the password %w", err)
	case prepared == "":
		return nil, configError("the password is empty")
	case iterations < 1 || iterations > MaxStoredIterations:
		return nil, configError("%d is an invalid number of iterations: use 4096 to %d", iterations, MaxStoredIterations)
	case h.unavailable() != nil:
		return nil, withClass(h.unavailable(), ErrPolicy)
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
		StoredKey:  NewSecret(storedKey(nil, h, clientKey(h, salted))),
		ServerKey:  NewSecret(serverKey(h, salted)),
	}, nil
}

// Check compares the password with the record, and returns nil if the password is
// right, or ErrAuthentication if the password is wrong. A PasswordCheck can return
// the result of Check. If the record's count is over MaxStoredIterations, the error
// is an ErrTemporary, and Check does no work.
func (r *SCRAMRecord) Check(ctx context.Context, password Secret) error {
	if r.Iterations < 1 || r.Iterations > MaxStoredIterations {
		return classed(ErrTemporary, "the stored record has an invalid number of iterations: derive the record again")
	}
	derived, err := DeriveSCRAM(ctx, r.Hash, string(password.Bytes()), r.Salt, r.Iterations)
	if ClassOf(err) == ErrConfig { // the password is empty, or no record can be made from it
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
// with a made-up record of the hash, and returns ErrAuthentication. A PasswordCheck
// that calls CheckUnknown does not show by its time which users exist. Other errors
// are those of SCRAMRecord.Check, and an ErrConfig if a number of s is out of range.
func (s StoredRecords) CheckUnknown(ctx context.Context, h Hash, password Secret) error {
	if err := s.validate(); err != nil {
		return err
	}
	iterations, saltSize := s.sizes()
	nobody := SCRAMRecord{Hash: h, Salt: make([]byte, saltSize), Iterations: iterations}
	return nobody.Check(ctx, password) // no key of the hash's size equals its empty one
}

func (s StoredRecords) validate() error {
	switch {
	case s.Iterations < 0 || s.Iterations > MaxStoredIterations:
		return configError("Server.Stored.Iterations is %d: use 1 to %d", s.Iterations, MaxStoredIterations)
	case s.SaltSize < 0 || s.SaltSize > maxName:
		return configError("Server.Stored.SaltSize is %d: use 1 to %d octets", s.SaltSize, maxName)
	}
	return nil
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

// madeUp returns the record that an unknown user seems to have. The record is always
// the same for a name and for both mechanisms of a hash. Without the server's key,
// nobody can compute the salt. Its octets are those of the key derivation of NIST
// SP 800-108 in counter mode, with HMAC-SHA-256. The record has no keys, because no
// proof for it is right. The parameter salt is memory for the salt.
func (t *ServerTerms) madeUp(salt []byte, h Hash, username string) SCRAMRecord {
	iterations, saltSize := t.Stored.sizes()
	for i := 1; len(salt) < saltSize; i++ {
		salt = hmacOf(salt, SHA256, t.Key.Bytes(), string(rune(i))+"saslkit "+h.Mechanism()+"\x00"+username)
	}
	return SCRAMRecord{Hash: h, Salt: salt[:saltSize], Iterations: iterations}
}
