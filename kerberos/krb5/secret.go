package krb5

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/types"
	sasl "github.com/saslkit/saslkit/core"
)

// secret is what a user proves to the KDC: a password or the keys of a keytab.
type secret interface {
	// key returns the key for a type. The salt and the parameters are those of the
	// KDC (RFC 4120 s5.2.7.5). version is the version of the key; 0 = any.
	key(ctx context.Context, info types.ETypeInfo2Entry, version int) (key, error)
	// keyTypes returns those of the types for which there may be a key.
	keyTypes(types []int32) []int32
}

type keytabSecret struct{ keys keytab }

func (s keytabSecret) keyTypes(types []int32) (found []int32) {
	for _, id := range types {
		if slices.ContainsFunc(s.keys, func(e keytabEntry) bool { return e.key.etype == id }) {
			found = append(found, id)
		}
	}
	return found
}

// key returns the newest key, or the key of a version.
func (s keytabSecret) key(_ context.Context, info types.ETypeInfo2Entry, version int) (found key, err error) {
	newest := -1
	for _, entry := range s.keys {
		fits := entry.key.etype == info.EType && (version == 0 || int(entry.version) == version)
		if fits && int(entry.version) > newest {
			newest, found = int(entry.version), entry.key
		}
	}
	if newest < 0 {
		return found, fmt.Errorf("%w: the keytab has no key of the type and version that the KDC uses; make another keytab", sasl.ErrAuthentication)
	}
	return found, nil
}

type passwordSecret struct {
	ask      func(context.Context) (sasl.Secret, error)
	password *sasl.Secret // nil = not yet asked for
}

func (*passwordSecret) keyTypes(types []int32) []int32 { return types }

// Limits on the rounds of a password's derivation. A KDC that nobody has
// authenticated yet states the rounds: many rounds cost time, and few rounds help
// to guess the password.
const (
	minRounds = 4096
	maxRounds = 1_000_000
)

func (s *passwordSecret) key(ctx context.Context, info types.ETypeInfo2Entry, _ int) (key, error) {
	if s.password == nil {
		password, err := s.ask(ctx)
		if err != nil {
			return key{}, callerError(ctx, err)
		}
		s.password = &password
	}
	algorithm, err := crypto.GetEtype(info.EType)
	if err != nil {
		return key{}, protocolError("the KDC chose a type of key that was not asked for")
	}
	parameters := algorithm.GetDefaultStringToKeyParams()
	if len(info.S2KParams) > 0 {
		if len(info.S2KParams) != 4 {
			return key{}, protocolError("the KDC stated invalid parameters for the password")
		}
		if rounds := binary.BigEndian.Uint32(info.S2KParams); rounds < minRounds || rounds > maxRounds {
			return key{}, securityError("the KDC demands %d rounds for the password; between %d and %d are allowed", rounds, minRounds, maxRounds)
		}
		parameters = hex.EncodeToString(info.S2KParams)
	}
	value, err := algorithm.StringToKey(string(s.password.Bytes()), info.Salt, parameters)
	if err != nil {
		return key{}, fmt.Errorf("%w: the password cannot be used", sasl.ErrConfig)
	}
	return newKey(info.EType, value), nil
}
