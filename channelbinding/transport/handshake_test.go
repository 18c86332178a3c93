package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestHandshake: a certificate that is not accepted is an ErrSecurity,
// anything but TLS an ErrConnection.
func TestHandshake(t *testing.T) {
	const host = "mail.example.org"
	certificate, pool := sasltest.Certificate(t, host)
	_, other := sasltest.Certificate(t, host)
	client := &tls.Config{RootCAs: pool, ServerName: host}
	server := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"imap"}}
	// The handshake offers "imap" (ALPN), which is the server's only protocol.
	handshake := func(client *tls.Config, serve func(net.Conn)) error {
		near, err := net.Dial("tcp", sasltest.Listen(t, func(far net.Conn) {
			serve(far)
			far.Close()
		}))
		if err != nil {
			t.Fatal(err)
		}
		defer near.Close()
		_, err = Handshake(t.Context(), near, host, "imap", client)
		return err
	}
	serveTLS := func(conn net.Conn) { tls.Server(conn, server).HandshakeContext(t.Context()) }
	untrusting, misnamed, refusing, pinning, pinned, unnamed := client.Clone(), client.Clone(), client.Clone(), client.Clone(), client.Clone(), client.Clone()
	untrusting.RootCAs = other
	misnamed.ServerName = "other.example.org"
	refusing.VerifyConnection = func(tls.ConnectionState) error { return sasl.ErrPolicy }
	mismatch := errors.New("pin mismatch")
	pinning.VerifyConnection = func(tls.ConnectionState) error { return mismatch }
	pinned.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return mismatch }
	unnamed.ServerName = ""
	another := client.Clone()
	another.NextProtos = []string{"xmpp-client"}
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
		{"another protocol", another, serveTLS, sasl.ErrConnection},
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
	if err := HandshakeError(&tls.CertificateVerificationError{Err: errors.New("x")}); !errors.Is(err, sasl.ErrSecurity) {
		t.Error(err)
	}
}

// TestFinishHandshake finishes the handshake of a connection that has one.
func TestFinishHandshake(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, "mail.example.org")
	address := sasltest.Listen(t, func(far net.Conn) {
		tls.Server(far, &tls.Config{Certificates: []tls.Certificate{certificate}}).HandshakeContext(t.Context())
	})
	for _, row := range []struct {
		name string
		want sasl.Class
	}{{"mail.example.org", ""}, {"other.example.org", sasl.ErrSecurity}} {
		near, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer near.Close()
		secured := tls.Client(near, &tls.Config{RootCAs: pool, ServerName: row.name})
		err = FinishHandshake(t.Context(), secured)
		if sasl.ClassOf(err) != row.want || (err == nil) != secured.ConnectionState().HandshakeComplete {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	near, _ := sasltest.Pair(t)
	if err := FinishHandshake(t.Context(), near); err != nil {
		t.Errorf("without TLS: %v", err)
	}
}
