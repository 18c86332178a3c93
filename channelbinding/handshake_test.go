package channelbinding

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestHandshake: a certificate that is not accepted is an ErrSecurity,
// anything but TLS an ErrConnection.
func TestHandshake(t *testing.T) {
	ca, other := newAuthority(t, ecdsaKey(t)), newAuthority(t, ecdsaKey(t))
	client, server := configs(t, ca, tls.VersionTLS13)
	handshake := func(client *tls.Config, serve func(net.Conn)) error {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		go func() {
			if far, err := listener.Accept(); err == nil {
				serve(far)
				far.Close()
			}
		}()
		near, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer near.Close()
		_, err = Handshake(t.Context(), near, host, client)
		return err
	}
	serveTLS := func(conn net.Conn) { tls.Server(conn, server).HandshakeContext(t.Context()) }
	untrusting, misnamed, refusing, pinning, pinned, unnamed := client.Clone(), client.Clone(), client.Clone(), client.Clone(), client.Clone(), client.Clone()
	untrusting.RootCAs = other.pool
	misnamed.ServerName = "other.example.org"
	refusing.VerifyConnection = func(tls.ConnectionState) error { return sasl.ErrPolicy }
	mismatch := errors.New("pin mismatch")
	pinning.VerifyConnection = func(tls.ConnectionState) error { return mismatch }
	pinned.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return mismatch }
	unnamed.ServerName = ""
	for _, row := range []struct {
		name   string
		config *tls.Config
		serve  func(net.Conn)
		want   sasl.Class
	}{
		{"accepted", client, serveTLS, ""},
		{"the name is the host's", unnamed, serveTLS, ""},
		{"no config", nil, serveTLS, sasl.ErrSecurity},
		{"a pin that does not match", pinning, serveTLS, sasl.ErrSecurity},
		{"another kind of pin", pinned, serveTLS, sasl.ErrSecurity},
		{"unknown authority", untrusting, serveTLS, sasl.ErrSecurity},
		{"another name", misnamed, serveTLS, sasl.ErrSecurity},
		{"a callback's class", refusing, serveTLS, sasl.ErrPolicy},
		{"no TLS", client, func(conn net.Conn) {
			conn.Read(make([]byte, 16<<10)) // the whole ClientHello
			conn.Write([]byte("* OK hello\r\n"))
		}, sasl.ErrConnection},
		{"cut", client, func(net.Conn) {}, sasl.ErrConnection},
	} {
		if err := handshake(row.config, row.serve); sasl.ClassOf(err) != row.want || (err == nil) != (row.want == "") {
			t.Errorf("%s: %v, want class %q", row.name, err, row.want)
		}
	}
	if err := StartTLSError(fmt.Errorf("%w: %w", sasl.ErrConnection, tls.RecordHeaderError{Msg: "x"})); sasl.ClassOf(err) != sasl.ErrSecurity {
		t.Error(err)
	}
	if err := StartTLSError(net.ErrClosed); sasl.ClassOf(err) != sasl.ErrConnection {
		t.Error(err)
	}
	if err := HandshakeError(&tls.CertificateVerificationError{Err: errors.New("x")}); !errors.Is(err, sasl.ErrSecurity) {
		t.Error(err)
	}
}
