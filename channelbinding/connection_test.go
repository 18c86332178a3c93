package channelbinding

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"
)

// authority signs certificates for a test.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	pool        *x509.CertPool
}

func ecdsaKey(t *testing.T) crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ed25519Key(t *testing.T) crypto.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T, key crypto.Signer) *authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	a := &authority{key: key, pool: x509.NewCertPool()}
	a.certificate = a.sign(t, template, template, key)
	a.pool.AddCert(a.certificate)
	return a
}

func (a *authority) sign(t *testing.T, template, parent *x509.Certificate, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// leaf returns a new certificate for a server or client of that name.
func (a *authority) leaf(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key := ecdsaKey(t)
	certificate := a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.certificate, key)
	return tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key, Leaf: certificate}
}

const host = "mail.example.org"

// connect returns the two ends' states after a handshake. The client has read
// an octet, so that it has seen TLS 1.3's session ticket too.
func connect(t *testing.T, client, server *tls.Config) (ours, theirs tls.ConnectionState) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan tls.ConnectionState, 1)
	go func() {
		defer close(accepted)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		end := tls.Server(conn, server)
		if end.Handshake() != nil {
			return
		}
		end.Write([]byte{1})
		accepted <- end.ConnectionState()
		end.Read(make([]byte, 1)) // until the client closes
	}()
	conn, err := tls.Dial("tcp", listener.Addr().String(), client)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	ours = conn.ConnectionState()
	conn.Close()
	theirs, ok := <-accepted
	if !ok {
		t.Fatal("the server's handshake failed")
	}
	return ours, theirs
}

// configs returns a client's and a server's configuration for one TLS version.
func configs(t *testing.T, a *authority, version uint16) (client, server *tls.Config) {
	t.Helper()
	client = &tls.Config{RootCAs: a.pool, ServerName: host, MinVersion: version, MaxVersion: version}
	server = &tls.Config{Certificates: []tls.Certificate{a.leaf(t, host)}}
	return client, server
}
