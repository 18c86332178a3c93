package krb5

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
)

// sealer encrypts the messages of one direction: AES in CBC mode with ciphertext
// stealing and a MAC (RFC 3962 s6, RFC 8009 s5). The library derives the keys, but it
// does so for each message.
type sealer struct {
	block    cipher.Block
	mac      func() hash.Hash // keyed
	macSize  int
	overText bool // the MAC is over the ciphertext, as in RFC 8009, and not over the plain text
}

// newSealer derives the keys of a usage (RFC 3961 s5.3).
func (k key) newSealer(usage uint32) (*sealer, error) {
	algorithm, err := k.algorithm()
	if err != nil {
		return nil, err
	}
	const forEncryption, forIntegrity = 0xaa, 0x55
	var encryption, integrity []byte
	err = guard(func() (err error) {
		if encryption, err = algorithm.DeriveKey(k.octets(), append(binary.BigEndian.AppendUint32(nil, usage), forEncryption)); err != nil {
			return err
		}
		integrity, err = algorithm.DeriveKey(k.octets(), append(binary.BigEndian.AppendUint32(nil, usage), forIntegrity))
		return err
	})
	if err != nil {
		return nil, protocolError("a key cannot be derived: %w", err)
	}
	s := &sealer{macSize: algorithm.GetHMACBitLength() / 8}
	digest := sha1.New
	switch k.etype {
	case etypeID.AES128_CTS_HMAC_SHA256_128:
		digest, s.overText = sha256.New, true
	case etypeID.AES256_CTS_HMAC_SHA384_192:
		digest, s.overText = sha512.New384, true
	}
	s.mac = func() hash.Hash { return hmac.New(digest, integrity) }
	if s.block, err = aes.NewCipher(encryption); err != nil {
		return nil, protocolError("a key cannot be used: %w", err)
	}
	return s, nil
}

const blockSize = aes.BlockSize

var zeroVector [blockSize]byte

// seal appends the encrypted form of the parts to token. Together the parts have at
// least the size of a block.
func (s *sealer) seal(token []byte, parts ...[]byte) []byte {
	begin := len(token)
	var confounder [blockSize]byte
	rand.Read(confounder[:])
	token = append(token, confounder[:]...)
	for _, part := range parts {
		token = append(token, part...)
	}
	size := len(token) - begin
	mac := s.mac()
	if !s.overText {
		mac.Write(token[begin:])
	}
	tail := (size-1)%blockSize + 1
	text := append(token[begin:], make([]byte, blockSize-tail)...)
	cipher.NewCBCEncrypter(s.block, zeroVector[:]).CryptBlocks(text, text)
	var last [blockSize]byte
	copy(last[:], text[len(text)-blockSize:])
	copy(text[len(text)-blockSize:], text[len(text)-2*blockSize:len(text)-blockSize])
	copy(text[len(text)-2*blockSize:], last[:])
	text = text[:size]
	if s.overText {
		mac.Write(zeroVector[:])
		mac.Write(text)
	}
	token = append(token[:begin], text...)
	return append(token, mac.Sum(nil)[:s.macSize]...)
}

// open decrypts and verifies what seal made; nil = it does not verify.
func (s *sealer) open(sealed []byte) []byte {
	size := len(sealed) - s.macSize
	if size < 2*blockSize {
		return nil
	}
	text, tag := sealed[:size], sealed[size:]
	mac := s.mac()
	if s.overText {
		mac.Write(zeroVector[:])
		mac.Write(text)
		if !hmac.Equal(mac.Sum(nil)[:s.macSize], tag) {
			return nil
		}
	}
	tail := (size-1)%blockSize + 1
	plain := make([]byte, size-tail+blockSize)
	stolen := size - tail - blockSize // where the last two blocks begin
	copy(plain, text[:stolen])
	var decrypted [blockSize]byte
	s.block.Decrypt(decrypted[:], text[stolen:stolen+blockSize])
	copy(plain[stolen:], text[stolen+blockSize:])
	copy(plain[stolen+tail:stolen+blockSize], decrypted[tail:])
	copy(plain[stolen+blockSize:], text[stolen:stolen+blockSize])
	cipher.NewCBCDecrypter(s.block, zeroVector[:]).CryptBlocks(plain, plain)
	plain = plain[:size]
	if !s.overText {
		mac.Write(plain)
		if !hmac.Equal(mac.Sum(nil)[:s.macSize], tag) {
			return nil
		}
	}
	return plain[blockSize:]
}
