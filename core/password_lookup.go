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
// password, so that the work is the same; known is then false.
func (lookup PasswordLookup) password(ctx context.Context, username string) (password []byte, known bool, err error) {
	secret, err := lookup(ctx, username)
	if err != nil && ClassOf(err) != ErrAuthentication {
		return nil, false, withClass(err, ErrTemporary)
	}
	if password = secret.Bytes(); err == nil && len(password) > 0 {
		return password, true, nil
	}
	return []byte(rand.Text()), false, nil
}
