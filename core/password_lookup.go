package sasl

import (
	"context"
	"crypto/rand"
)

// PasswordLookup returns the password of a user, in UTF-8 and without preparation.
// The mechanisms with MD5 need the password itself. An empty Secret or an
// ErrAuthentication means that there is no such user; the client does not learn this
// fact. Any other error without a Class counts as ErrTemporary.
type PasswordLookup func(ctx context.Context, username string) (Secret, error)

// password returns the password of a user. A user who does not exist gets a random
// password of 128 bits, so that the work is the same and no digest is right.
func (lookup PasswordLookup) password(ctx context.Context, username string) ([]byte, error) {
	secret, err := lookup(ctx, username)
	if err != nil && ClassOf(err) != ErrAuthentication {
		return nil, withClass(err, ErrTemporary)
	}
	if password := secret.Bytes(); err == nil && len(password) > 0 {
		return password, nil
	}
	return []byte(rand.Text()), nil
}
