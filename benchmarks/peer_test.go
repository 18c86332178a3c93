package benchmarks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

const (
	username   = "user"
	password   = "a password of usual length"
	iterations = 4096
	host       = "mail.example.org"
)

// family is SCRAM with one hash, and an account's record at a server.
type family struct {
	mechanism string
	id        sasl.Hash
	hash      func() hash.Hash
	size      int
	salt      []byte
	record    *sasl.SCRAMRecord
	storedKey []byte
	serverKey []byte
}

func families(b testing.TB) (list []*family) {
	for _, f := range []*family{
		{mechanism: "SCRAM-SHA-1", id: sasl.SHA1, hash: sha1.New, size: sha1.Size},
		{mechanism: "SCRAM-SHA-256", id: sasl.SHA256, hash: sha256.New, size: sha256.Size},
		{mechanism: "SCRAM-SHA-512", id: sasl.SHA512, hash: sha512.New, size: sha512.Size},
	} {
		f.salt = make([]byte, 16)
		rand.Read(f.salt)
		salted, err := pbkdf2.Key(f.hash, password, f.salt, iterations, f.size)
		if err != nil {
			b.Fatal(err)
		}
		f.serverKey = f.mac(salted, "Server Key")
		clientKey := f.hash()
		clientKey.Write(f.mac(salted, "Client Key"))
		f.storedKey = clientKey.Sum(nil)
		f.record = &sasl.SCRAMRecord{
			Hash: f.id, Salt: f.salt, Iterations: iterations,
			StoredKey: sasl.NewSecret(f.storedKey), ServerKey: sasl.NewSecret(f.serverKey),
		}
		list = append(list, f)
	}
	return list
}

func (f *family) mac(key []byte, parts ...string) []byte {
	m := hmac.New(f.hash, key)
	for _, part := range parts {
		m.Write([]byte(part))
	}
	return m.Sum(nil)
}

// peer is the cheapest server that a verifying client accepts: it checks nothing,
// and its only work is one HMAC. All clients meet the same peer.
type peer struct {
	*family
	bare, serverFirst string
}

// first answers the client-first-message.
func (p *peer) first(clientFirst []byte) []byte {
	_, bare, _ := bytes.Cut(clientFirst, []byte(",,"))
	_, nonce, _ := bytes.Cut(bare, []byte(",r="))
	p.bare = string(bare)
	p.serverFirst = fmt.Sprintf("r=%sTheServersPart,s=%s,i=%d", nonce, base64.StdEncoding.EncodeToString(p.salt), iterations)
	return []byte(p.serverFirst)
}

// final answers the client-final-message.
func (p *peer) final(clientFinal []byte) []byte {
	withoutProof := clientFinal[:bytes.LastIndex(clientFinal, []byte(",p="))]
	signature := p.mac(p.serverKey, p.bare, ",", p.serverFirst, ",", string(withoutProof))
	return []byte("v=" + base64.StdEncoding.EncodeToString(signature))
}

// lookup is a server's store of one account.
func (f *family) lookup(context.Context, sasl.Hash, string) (*sasl.SCRAMRecord, error) {
	return f.record, nil
}
