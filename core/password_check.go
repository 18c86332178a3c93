package sasl

import (
	"context"
	"slices"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// PasswordCheck checks the password of a user and returns nil if the password is
// right, or ErrAuthentication if the password is wrong. An error without a Class
// counts as ErrTemporary.
type PasswordCheck func(ctx context.Context, username string, password Secret) error

// orPrepared calls check and, if check refuses the password as received and SASLprep
// changes the password, once more with the prepared password.
func (check PasswordCheck) orPrepared(ctx context.Context, username string, password Secret) error {
	err := check(ctx, username, password)
	if ClassOf(err) != ErrAuthentication {
		return err
	}
	received := string(password.Bytes())
	prepared, prepErr := stringprep.Stored(received)
	if prepErr != nil || prepared == received || prepared == "" {
		return err
	}
	return check(ctx, username, NewSecret(prepared))
}

// passwordRecords checks passwords against SCRAM records, one for each of the hashes
// at most.
type passwordRecords struct {
	lookup SCRAMLookup
	hashes []Hash
}

// declare adds to the properties of a mechanism that the mechanism needs a lookup and
// valid hashes.
func (r *passwordRecords) declare(properties Properties) Properties {
	if len(r.hashes) == 0 {
		properties.Unavailable = errNoHash
	} else if len(r.allowed()) == 0 {
		properties.Unavailable = r.hashes[0].unavailable()
	}
	for _, h := range r.hashes {
		if err := h.unavailable(); ClassOf(err) == ErrConfig {
			properties.Unavailable = err
		}
	}
	return properties.withCallback(r.lookup != nil)
}

var errNoHash = configError("the mechanism for stored records has no hash: pass one")

// allowed returns the hashes that FIPS 140 allows in this process. A check with another
// hash is an error without work, so it would show which users exist.
func (r *passwordRecords) allowed() []Hash {
	return slices.DeleteFunc(slices.Clone(r.hashes), func(h Hash) bool { return h.unavailable() != nil })
}

// checkFor returns the check at a server whose records have this description. The
// check asks for all records, so that the number of lookups is the same for every
// user.
func (r *passwordRecords) checkFor(stored StoredRecords) PasswordCheck {
	hashes := r.allowed()
	return func(ctx context.Context, username string, password Secret) error {
		if err := stored.validate(); err != nil {
			return err // for every user, so that the error does not show which users exist
		}
		var found *SCRAMRecord
		for _, h := range hashes {
			record, err := r.lookup(ctx, h, username)
			if err != nil && ClassOf(err) != ErrAuthentication {
				return err
			}
			if err == nil && found == nil {
				found = record
			}
		}
		if found == nil {
			return stored.CheckUnknown(ctx, hashes[0], password)
		}
		return found.Check(ctx, password)
	}
}
