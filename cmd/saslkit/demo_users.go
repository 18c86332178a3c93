package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

const (
	demoUser     = "alice"
	demoPassword = "secret"
	demoToken    = "dG9rZW4tb2YtYWxpY2U" // of OAuth 2.0
)

// demoTokens are the mechanisms that log in with a token, for XMPP.
var demoTokens = []string{"HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA-256-UNIQ", "HT-SHA-256-NONE"}

var demoCredentials = sasl.Password(demoUser, demoPassword)

func isPlus(m interface{ Name() string }) bool { return strings.HasSuffix(m.Name(), "-PLUS") }

// demoUsers is the store of the demo's server: one user, with a record for each
// hash that this process allows.
type demoUsers struct {
	key     sasl.Secret
	records map[sasl.Hash]*sasl.SCRAMRecord
}

func newDemoUsers(ctx context.Context) (*demoUsers, error) {
	var key [16]byte
	rand.Read(key[:])
	users := &demoUsers{key: sasl.NewSecret(key[:]), records: map[sasl.Hash]*sasl.SCRAMRecord{}}
	for h := sasl.SHA1; h <= sasl.SHA3_512; h++ {
		record, err := sasl.DeriveSCRAM(ctx, h, demoPassword, nil, 4096)
		switch {
		case errors.Is(err, sasl.ErrPolicy): // FIPS 140 does not allow this hash
			continue
		case err != nil:
			return nil, err
		}
		users.records[h] = record
	}
	return users, nil
}

func (u *demoUsers) lookup(_ context.Context, h sasl.Hash, username string) (*sasl.SCRAMRecord, error) {
	if username != demoUser {
		return nil, nil
	}
	return u.records[h], nil
}

func (u *demoUsers) check(_ context.Context, username string, password sasl.Secret) error {
	if username != demoUser || subtle.ConstantTimeCompare(password.Bytes(), []byte(demoPassword)) != 1 {
		return sasl.ErrAuthentication
	}
	return nil
}

// verify is the check of a token of OAuth 2.0.
func (u *demoUsers) verify(_ context.Context, login sasl.BearerLogin) (string, error) {
	if subtle.ConstantTimeCompare(login.Token.Bytes(), []byte(demoToken)) != 1 {
		return "", &sasl.BearerError{Status: "invalid_token"}
	}
	return demoUser, nil
}

// lookUpPassword returns the password for the mechanisms that need the password itself.
func (u *demoUsers) lookUpPassword(_ context.Context, username string) (sasl.Secret, error) {
	if username != demoUser {
		return sasl.Secret{}, nil
	}
	return sasl.NewSecret(demoPassword), nil
}

// canUse reports whether this process has the mechanism, and the store the record that
// the mechanism needs.
func (u *demoUsers) canUse(m sasl.Mechanism) bool {
	if declares, ok := m.(interface{ Properties() sasl.Properties }); ok && declares.Properties().Unavailable != nil {
		return false
	}
	hash, isSCRAM := strings.CutPrefix(strings.TrimSuffix(m.Name(), "-PLUS"), "SCRAM-")
	for h := range u.records {
		if h.String() == hash {
			return true
		}
	}
	return !isSCRAM
}

// server returns a server with every mechanism.
func (u *demoUsers) server() *sasl.Server {
	server := &sasl.Server{Key: u.key, Mechanisms: []sasl.ServerMechanism{
		sasl.PlainServer(u.check),
		sasl.AnonymousServer(func(context.Context, string) (string, error) { return "guest", nil }),
		sasl.ExternalServer(func(_ context.Context, peer any) (string, error) {
			return peer.(*x509.Certificate).Subject.CommonName, nil
		}),
	}}
	server.Tokens = &sasl.ServerTokens{Store: new(sasl.MemoryTokens), Mechanisms: demoTokens}
	for h := sasl.SHA1; h <= sasl.SHA3_512; h++ {
		server.Mechanisms = append(server.Mechanisms, sasl.SCRAMServer(h, u.lookup), sasl.SCRAMPlusServer(h, u.lookup))
	}
	server.Mechanisms = append(server.Mechanisms, sasl.LoginServer(u.check), sasl.DigestMD5Server("", u.lookUpPassword), sasl.CRAMMD5Server(u.lookUpPassword))
	server.Mechanisms = append(server.Mechanisms, sasl.OAuthBearerServer(u.verify), sasl.XOAuth2Server(u.verify))
	return server
}

// impostor returns a server that has the user's StoredKey, as from a stolen
// record, but not the ServerKey. The server can check the client's proof and
// cannot prove its own identity.
func (u *demoUsers) impostor() *sasl.Server {
	var random [64]byte
	rand.Read(random[:])
	lookup := func(ctx context.Context, h sasl.Hash, username string) (*sasl.SCRAMRecord, error) {
		record, err := u.lookup(ctx, h, username)
		if record == nil {
			return nil, err
		}
		fake := *record
		fake.ServerKey = sasl.NewSecret(random[:h.Size()])
		return &fake, nil
	}
	return &sasl.Server{Key: u.key, Mechanisms: []sasl.ServerMechanism{sasl.SCRAMPlusServer(sasl.SHA256, lookup)}}
}
