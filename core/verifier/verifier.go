// Package verifier reads and writes the text form of stored credentials: the
// SCRAM record of RFC 5803, which several mail and database servers keep too.
//
//	SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=
package verifier

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// maxText limits the length of Parse's input, in octets. The longest reasonable
// record, with SHA-512 and a salt of 1 KiB, has a quarter of this length.
const maxText = 8 << 10

// Parse reads a SCRAM record in the form of RFC 5803 s2. Parse allows spaces around
// the separators, as RFC 3112 s2.2 does. Every error is an ErrConfig and does not
// repeat the record.
func Parse(text string) (*sasl.SCRAMRecord, error) {
	if len(text) > maxText {
		return nil, malformed("is over 8 KiB")
	}
	scheme, rest, ok1 := splitAt(text, "$")
	authInfo, authValue, ok2 := splitAt(rest, "$")
	count, salt, ok3 := splitAt(authInfo, ":")
	stored, server, ok4 := splitAt(authValue, ":")
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, malformed("is not scheme$iterations:salt$StoredKey:ServerKey")
	}
	record := new(sasl.SCRAMRecord)
	for h := sasl.SHA1; h <= sasl.SHA3_512; h++ {
		if h.Mechanism() == scheme {
			record.Hash = h
		}
	}
	if record.Hash == 0 {
		return nil, malformed("has an unknown scheme")
	}
	iterations, err := strconv.ParseUint(count, 10, 31)
	if err != nil || strings.HasPrefix(count, "0") || iterations > sasl.MaxStoredIterations {
		return nil, malformed("has an invalid iteration count: use 1 to " + strconv.Itoa(sasl.MaxStoredIterations))
	}
	record.Iterations = int(iterations)
	if record.Salt, err = sasl.DecodeBase64(salt); err != nil || len(record.Salt) == 0 {
		return nil, malformed("has an invalid salt")
	}
	storedKey, err1 := sasl.DecodeBase64(stored)
	serverKey, err2 := sasl.DecodeBase64(server)
	if size := record.Hash.Size(); err1 != nil || err2 != nil || len(storedKey) != size || len(serverKey) != size {
		return nil, malformed("has an invalid StoredKey or ServerKey")
	}
	record.StoredKey, record.ServerKey = sasl.NewSecret(storedKey), sasl.NewSecret(serverKey)
	return record, nil
}

// Format returns the text form of a record, which Parse reads. A person who has
// this text can test guesses of the password, and can pretend to be the server.
func Format(r *sasl.SCRAMRecord) string {
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s$%d:%s$%s:%s", r.Hash.Mechanism(), r.Iterations, encode(r.Salt),
		encode(r.StoredKey.Bytes()), encode(r.ServerKey.Bytes()))
}

func malformed(how string) error {
	return fmt.Errorf("%w: the SCRAM record %s", sasl.ErrConfig, how)
}

func splitAt(s, separator string) (before, after string, found bool) {
	before, after, found = strings.Cut(s, separator)
	return strings.Trim(before, " "), strings.Trim(after, " "), found
}
