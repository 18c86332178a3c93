package transport_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/saslkit/saslkit/channelbinding/transport"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestAcceptHostOfChain: AcceptHost is asked about a server whose certificate an
// intermediate authority has issued, and by the clock of the TLSConfig.
func TestAcceptHostOfChain(t *testing.T) {
	then := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	var chain []*x509.Certificate // the root, the intermediate, the server's
	var key *ecdsa.PrivateKey     // of the last
	for i, name := range []string{"root", "intermediate", "mx.example.net"} {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), NotBefore: then.AddDate(-1, 0, 0), NotAfter: then.AddDate(1, 0, 0),
			IsCA: i < 2, BasicConstraintsValid: true,
		}
		template.Subject.CommonName = name
		if i == 2 {
			template.DNSNames = []string{name}
		}
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		parent, signer := template, own
		if i > 0 {
			parent, signer = chain[i-1], key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, own.Public(), signer)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		chain, key = append(chain, certificate), own
	}
	served := tls.Certificate{Certificate: [][]byte{chain[2].Raw, chain[1].Raw}, PrivateKey: key}
	_, text, _ := net.SplitHostPort(sasltest.Listen(t, func(conn net.Conn) {
		defer conn.Close()
		tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{served}}).HandshakeContext(t.Context())
	}))
	port, _ := strconv.ParseUint(text, 10, 16)
	pool := x509.NewCertPool()
	pool.AddCert(chain[0])
	asked, verified := 0, []string{}
	d := transport.Dialer{
		Resolver:   zone{"imaps": {srv(0, 0, uint16(port), "mx.example.net.")}}.resolver(t),
		TLSConfig:  &tls.Config{RootCAs: pool, Time: func() time.Time { return then }},
		AcceptHost: func(context.Context, string, string) bool { asked++; return true },
	}
	if _, err := dial(t.Context(), d, mail, &verified); err != nil || asked != 1 || strings.Join(verified, " ") != "example.org mx.example.net" {
		t.Errorf("%v, asked %d times, verified %s", err, asked, verified)
	}
}
