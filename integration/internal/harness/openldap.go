package harness

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
)

// LDAPServer is a running OpenLDAP, shared by the tests of a package. Its users are in docker/openldap/directory.ldif;
// alice may act as bob. A client certificate for one of them is trusted.
type LDAPServer struct {
	Named
	LDAP  string // address, 127.0.0.1:port; StartTLS
	LDAPS string // address; TLS from the first byte
	name  string // of the container
}

// OpenLDAP returns a server that offers PLAIN, ANONYMOUS and SCRAM with SHA-1 to SHA-512, these also with channel
// binding, to tls-server-end-point; and EXTERNAL to clients with a certificate or on its Unix socket.
func OpenLDAP(tb testing.TB) *LDAPServer {
	tb.Helper()
	return serverFor(tb, openLDAP)
}

// OpenLDAPUnique returns a server that differs from [OpenLDAP]'s in that it binds to tls-unique.
func OpenLDAPUnique(tb testing.TB) *LDAPServer {
	tb.Helper()
	return serverFor(tb, openLDAPUnique)
}

var (
	openLDAP       = sync.OnceValues(func() (*LDAPServer, error) { return startOpenLDAP("endpoint") })
	openLDAPUnique = sync.OnceValues(func() (*LDAPServer, error) { return startOpenLDAP("unique") })
)

// startOpenLDAP runs the image with the configuration of this name.
func startOpenLDAP(config string) (*LDAPServer, error) {
	const host = "openldap.test"
	pki := NewPKI()
	trust := &tls.Config{ServerName: host, RootCAs: pki.Pool}
	name := "openldap-" + config
	at, err := server{
		name:  name,
		image: "openldap",
		cmd:   []string{"bash", "/etc/ldap/serve.sh", config},
		files: pki.serverFiles(host),
		ports: []string{"389/tcp", "636/tcp"},
		ask: func(ctx context.Context, at addresses) error {
			if err := askStartTLS(ctx, at["389/tcp"], trust); err != nil {
				return err
			}
			conn, err := (&tls.Dialer{Config: trust}).DialContext(ctx, "tcp", at["636/tcp"])
			if err != nil {
				return err
			}
			return conn.Close()
		},
	}.start()
	if err != nil {
		return nil, err
	}
	return &LDAPServer{Named: Named{Host: host, CA: pki.Pool, PKI: pki}, LDAP: at["389/tcp"], LDAPS: at["636/tcp"], name: name}, nil
}

// The messages of StartTLS (RFC 4511 s4.14) with message ID 1, as OpenLDAP writes its own.
const (
	startTLSRequest  = "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
	startTLSResponse = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
)

// askStartTLS sees whether a server starts TLS, with the certificate it was given.
func askStartTLS(ctx context.Context, address string, config *tls.Config) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := io.WriteString(conn, startTLSRequest); err != nil {
		return err
	}
	answer := make([]byte, len(startTLSResponse))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if !bytes.Equal(answer, []byte(startTLSResponse)) {
		return fmt.Errorf("got %q to StartTLS", answer)
	}
	return tls.Client(conn, config).HandshakeContext(ctx)
}

// Run copies a program into the server's container and runs it there, where the server's Unix socket is.
func (s *LDAPServer) Run(tb testing.TB, program string, env []string, args ...string) (code int, output string) {
	tb.Helper()
	code, output, err := runIn(tb.Context(), s.name, program, env, args)
	if err != nil {
		tb.Fatal(err)
	}
	return code, output
}
