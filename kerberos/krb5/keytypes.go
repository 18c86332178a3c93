package krb5

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/crypto/etype"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/types"
	sasl "github.com/saslkit/saslkit/core"
)

// allKeyTypes are the types of keys that this package uses, most preferred first.
// RC4 and DES are not among them: their keys can be guessed.
var allKeyTypes = []int32{
	etypeID.AES256_CTS_HMAC_SHA384_192,
	etypeID.AES128_CTS_HMAC_SHA256_128,
	etypeID.AES256_CTS_HMAC_SHA1_96,
	etypeID.AES128_CTS_HMAC_SHA1_96,
}

// keyTypeNames are the names of the types in krb5.conf.
var keyTypeNames = map[string][]int32{
	"aes256-cts-hmac-sha384-192": {etypeID.AES256_CTS_HMAC_SHA384_192},
	"aes256-sha2":                {etypeID.AES256_CTS_HMAC_SHA384_192},
	"aes128-cts-hmac-sha256-128": {etypeID.AES128_CTS_HMAC_SHA256_128},
	"aes128-sha2":                {etypeID.AES128_CTS_HMAC_SHA256_128},
	"aes256-cts-hmac-sha1-96":    {etypeID.AES256_CTS_HMAC_SHA1_96},
	"aes256-cts":                 {etypeID.AES256_CTS_HMAC_SHA1_96},
	"aes256-sha1":                {etypeID.AES256_CTS_HMAC_SHA1_96},
	"aes128-cts-hmac-sha1-96":    {etypeID.AES128_CTS_HMAC_SHA1_96},
	"aes128-cts":                 {etypeID.AES128_CTS_HMAC_SHA1_96},
	"aes128-sha1":                {etypeID.AES128_CTS_HMAC_SHA1_96},
	"aes":                        allKeyTypes,
	"default":                    allKeyTypes,
}

// keyTypes reads a list of krb5.conf. A name with a hyphen in front removes a type.
// The result is not nil, and lacks the types that this package does not use.
func keyTypes(list string) []int32 {
	found := []int32{}
	for _, name := range strings.FieldsFunc(strings.ToLower(list), func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
		removed, remove := strings.CutPrefix(name, "-")
		for _, id := range keyTypeNames[strings.TrimPrefix(removed, "+")] {
			found = slices.DeleteFunc(found, func(other int32) bool { return other == id && remove })
			if !remove && !slices.Contains(found, id) {
				found = append(found, id)
			}
		}
	}
	return found
}

// permitted returns the types of a list that are permitted; a nil list is not stated.
func permitted(list, permitted []int32) []int32 {
	if list == nil {
		return permitted
	}
	return slices.DeleteFunc(list, func(id int32) bool { return !slices.Contains(permitted, id) })
}

// key is a key of Kerberos. The octets are behind a func, so that no formatted value
// shows them.
type key struct {
	etype  int32
	octets func() []byte // nil = no key
}

func newKey(etype int32, octets []byte) key {
	return key{etype, func() []byte { return octets }}
}

var errKeyType = errors.New("the key is not of an AES type")

// algorithm returns the functions of a key's type.
func (k key) algorithm() (etype.EType, error) {
	if !slices.Contains(allKeyTypes, k.etype) || k.octets == nil || len(k.octets()) != keySize(k.etype) {
		return nil, errKeyType
	}
	return crypto.GetEtype(k.etype)
}

// keySize returns the octets of a key (RFC 3962 s6, RFC 8009 s5).
func keySize(id int32) int {
	if id == etypeID.AES256_CTS_HMAC_SHA384_192 || id == etypeID.AES256_CTS_HMAC_SHA1_96 {
		return 32
	}
	return 16
}

// library returns the key in the library's form.
func (k key) library() types.EncryptionKey {
	return types.EncryptionKey{KeyType: k.etype, KeyValue: k.octets()}
}

// decrypt decrypts and verifies an encrypted part. The error has no class.
func (k key) decrypt(part types.EncryptedData, usage uint32) (plain []byte, err error) {
	if part.EType != k.etype {
		return nil, errKeyType
	}
	algorithm, err := k.algorithm()
	if err != nil {
		return nil, err
	}
	err = guard(func() error {
		plain, err = algorithm.DecryptMessage(k.octets(), part.Cipher, usage)
		return err
	})
	return plain, err
}

// errLibrary is the error of a call in which the library panicked.
var errLibrary = errors.New("a message is malformed")

// guard calls f, which uses the library, and turns a panic into an error: the
// library indexes messages of the network without checks.
func guard(f func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errLibrary
		}
	}()
	return f()
}

func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", sasl.ErrProtocol, fmt.Errorf(format, args...))
}

func securityError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", sasl.ErrSecurity, fmt.Errorf(format, args...))
}
