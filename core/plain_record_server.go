package sasl

import (
	"context"
	"errors"
)

// PlainRecordServer is the server's PLAIN mechanism (RFC 4616) for users whose
// passwords are stored as SCRAM records, one for each of the hashes at most. The
// lookup is asked for a record of every hash, and the first record that it
// returns decides.
//
// A user without a record costs the same work as one with a record: the password
// is checked against a record that is made up (StoredRecords.CheckUnknown), of
// the first hash. Without a hash the mechanism is unavailable.
func PlainRecordServer(lookup SCRAMLookup, hashes ...Hash) ServerMechanism {
	return &plainRecordServer{lookup, hashes}
}

type plainRecordServer struct {
	lookup SCRAMLookup
	hashes []Hash
}

func (*plainRecordServer) Name() string { return plainName }

func (m *plainRecordServer) Properties() Properties {
	properties := plainServer{}.Properties()
	if len(m.hashes) == 0 {
		properties.Unavailable = errNoHash
	}
	return properties
}

var errNoHash = errors.New("PlainRecordServer has no hash")

func (m *plainRecordServer) New(t ServerTerms) Exchange {
	return &plainServerExchange{terms: t, prepares: true, check: func(ctx context.Context, username string, password Secret) error {
		return m.check(ctx, t.Stored, username, password)
	}}
}

// check asks for all records, so that the number of lookups says nothing about
// the user.
func (m *plainRecordServer) check(ctx context.Context, stored StoredRecords, username string, password Secret) error {
	var found *SCRAMRecord
	for _, h := range m.hashes {
		record, err := m.lookup(ctx, h, username)
		if err != nil && ClassOf(err) != ErrAuthentication {
			return err
		}
		if err == nil && found == nil {
			found = record
		}
	}
	if found == nil {
		return stored.CheckUnknown(ctx, m.hashes[0], password)
	}
	return found.Check(ctx, password)
}
