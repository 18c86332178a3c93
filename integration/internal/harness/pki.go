package harness

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// PKI is a certificate authority in memory. All keys are ECDSA P-256, all certificates are valid for a day.
type PKI struct {
	Pool *x509.CertPool // trusts this authority alone

	root *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewPKI makes an authority that no other trusts.
func NewPKI() *PKI {
	key := newKey()
	root := template("saslkit test authority")
	root.IsCA = true
	root.BasicConstraintsValid = true
	root.KeyUsage = x509.KeyUsageCertSign
	root = sign(root, root, key, key)
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return &PKI{Pool: pool, root: root, key: key}
}

// ServerCert issues a certificate for a server with these names, host names or IP addresses; each call another one.
func (p *PKI) ServerCert(names ...string) tls.Certificate {
	leaf := template(names[0])
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, name)
		}
	}
	return p.issue(leaf)
}

// ClientCert issues a certificate for a client whose common name is cn.
func (p *PKI) ClientCert(cn string) tls.Certificate {
	leaf := template(cn)
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return p.issue(leaf)
}

// XMPPCert issues a certificate for a client whose address is in it in the form of RFC 6120 s13.7.1.4.
func (p *PKI) XMPPCert(address string) tls.Certificate {
	leaf := template(address)
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	leaf.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: xmppName(address)}}
	return p.issue(leaf)
}

// xmppName is a subjectAltName with one otherName of the type id-on-xmppAddr.
func xmppName(address string) []byte {
	type otherName struct {
		ID    asn1.ObjectIdentifier
		Value string `asn1:"tag:0,explicit,utf8"`
	}
	name := otherName{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5}, address}
	return must(asn1.Marshal([]asn1.RawValue{{FullBytes: must(asn1.MarshalWithParams(name, "tag:0"))}}))
}

func (p *PKI) issue(leaf *x509.Certificate) tls.Certificate {
	key := newKey()
	leaf = sign(leaf, p.root, key, p.key)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

// RootPEM is what a program reads to trust this authority.
func (p *PKI) RootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.root.Raw})
}

// Named is a server that proves its name with a certificate.
type Named struct {
	Host string         // the name its certificate is for, besides localhost and 127.0.0.1
	CA   *x509.CertPool // trusts its certificate
	PKI  *PKI           // issued its certificate, and is the one whose client certificates it trusts, if any
}

// ClientConfig is for a client that speaks this version of TLS.
func (n Named) ClientConfig(version uint16) *tls.Config {
	return &tls.Config{ServerName: n.Host, RootCAs: n.CA, MinVersion: version, MaxVersion: version}
}

// serverFiles are where the images' configurations have them: the authority, a certificate for the names and for where the
// container is reached, and what tls-server-end-point is for that.
func (p *PKI) serverFiles(names ...string) map[string][]byte {
	cert := p.ServerCert(append(names, "localhost", "127.0.0.1")...)
	return map[string][]byte{
		"/certs/endpoint": fmt.Appendf(nil, "%x\n", sha256.Sum256(cert.Certificate[0])),
		"/certs/ca.pem":   p.RootPEM(),
		"/certs/cert.pem": certPEM(cert),
		"/certs/key.pem":  keyPEM(cert),
	}
}

// certPEM and keyPEM are what a server reads to present a certificate.
func certPEM(c tls.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
}

func keyPEM(c tls.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(c.PrivateKey))})
}

func template(cn string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))),
		Subject:      pkix.Name{CommonName: cn},
		// A container's clock may be behind.
		NotBefore: now.Add(-time.Hour),
		NotAfter:  now.Add(24 * time.Hour),
		KeyUsage:  x509.KeyUsageDigitalSignature,
	}
}

func newKey() *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
}

func sign(leaf, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	der := must(x509.CreateCertificate(rand.Reader, leaf, parent, key.Public(), parentKey))
	return must(x509.ParseCertificate(der))
}

// must panics on an error that only a mistake in this file can cause.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
