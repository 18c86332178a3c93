package sasltest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// bearerToken is the token of the user of AllMechanisms.
const bearerToken = "token-of-user"

func verifyToken(_ context.Context, login sasl.BearerLogin) (username string, err error) {
	if token := string(login.Token.Bytes()); token != bearerToken && token != LongToken() {
		return "", sasl.ErrAuthentication
	}
	return "user", nil
}

func checkPencil(_ context.Context, username string, password sasl.Secret) error {
	if username != "user" || string(password.Bytes()) != "pencil" {
		return sasl.ErrAuthentication
	}
	return nil
}

func lookUpPencil(_ context.Context, username string) (sasl.Secret, error) {
	if username != "user" {
		return sasl.Secret{}, nil
	}
	return sasl.NewSecret("pencil"), nil
}

// AllMechanisms returns a server with every mechanism, for one user, "user", with
// the password "pencil", the bearer token "token-of-user" and a LongToken. In
// EXTERNAL, the common name of the client's certificate is the username. In
// ANONYMOUS, the username is "guest".
func AllMechanisms() *sasl.Server {
	lookup := func(ctx context.Context, h sasl.Hash, name string) (*sasl.SCRAMRecord, error) {
		if name != "user" {
			return nil, nil
		}
		return sasl.DeriveSCRAM(ctx, h, "pencil", []byte("0123456789abcdef"), 4096)
	}
	server := &sasl.Server{Key: sasl.NewSecret("0123456789abcdef"), Mechanisms: []sasl.ServerMechanism{
		sasl.PlainServer(checkPencil), sasl.LoginServer(checkPencil), sasl.CRAMMD5Server(lookUpPencil), sasl.DigestMD5Server("", lookUpPencil),
		sasl.AnonymousServer(func(context.Context, string) (string, error) { return "guest", nil }),
		sasl.ExternalServer(func(_ context.Context, peer any) (string, error) {
			return peer.(*x509.Certificate).Subject.CommonName, nil
		}),
		sasl.OAuthBearerServer(verifyToken), sasl.XOAuth2Server(verifyToken),
	}}
	for h := sasl.SHA1; h <= sasl.SHA3_512; h++ {
		server.Mechanisms = append(server.Mechanisms, sasl.SCRAMServer(h, lookup), sasl.SCRAMPlusServer(h, lookup))
	}
	return server
}

// Certificate returns a self-signed certificate for a server or a client with this
// name, and a pool that trusts only this certificate.
func Certificate(tb testing.TB, name string) (tls.Certificate, *x509.CertPool) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}
