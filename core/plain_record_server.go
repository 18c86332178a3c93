package sasl

// PlainRecordServer is the server's PLAIN mechanism (RFC 4616) for users whose
// passwords are stored as SCRAM records, one for each of the hashes at most. The
// lookup is asked for a record of every hash, and the first record that it
// returns decides.
//
// A user without a record costs the same work as one with a record: the password
// is checked against a record that is made up (StoredRecords.CheckUnknown), of
// the first hash. A hash that FIPS 140 forbids is ignored; without a hash that remains,
// the mechanism is unavailable.
func PlainRecordServer(lookup SCRAMLookup, hashes ...Hash) ServerMechanism {
	return &plainRecordServer{passwordRecords{lookup, hashes}}
}

type plainRecordServer struct{ records passwordRecords }

func (*plainRecordServer) Name() string { return plainName }

func (m *plainRecordServer) Properties() Properties {
	return m.records.declare(plain{}.Properties())
}

func (m *plainRecordServer) New(t ServerTerms) Exchange {
	return &plainServerExchange{terms: t, check: m.records.checkFor(t.Stored)}
}
