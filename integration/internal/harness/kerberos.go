package harness

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// KerberosServer is a running MIT KDC of the realm KERBEROS.TEST with servers that accept its tickets, shared by the
// tests of a package. The principals are in docker/kerberos/realm.sh; in OpenLDAP, alice may act as bob.
type KerberosServer struct {
	Named
	KDC                 string // address, 127.0.0.1:port; TCP
	LDAP                string // StartTLS
	LDAPS               string // TLS from the first byte
	LDAPSkewed          string // StartTLS; the clock is 20 minutes ahead
	LDAPConfidentiality string // StartTLS; demands a confidential layer
	LDAPIntegrity       string // StartTLS; demands an integrity layer and refuses confidentiality
	LDAPSmall           string // StartTLS; takes tokens of 100 octets at most
	IMAP                string // Dovecot, STARTTLS
	Submission          string // Postfix with Cyrus SASL, STARTTLS
	realm               string
	container           string
}

// Kerberos returns a KDC with OpenLDAP, Dovecot and Postfix. OpenLDAP refuses a wrong channel binding and accepts an
// absent one; the others ignore channel bindings.
func Kerberos(tb testing.TB) *KerberosServer {
	tb.Helper()
	return serverFor(tb, kerberos)
}

var kerberos = sync.OnceValues(startKerberos)

func startKerberos() (*KerberosServer, error) {
	const host, name = "kerberos.test", "kerberos"
	pki := NewPKI()
	trust := &tls.Config{ServerName: host, RootCAs: pki.Pool}
	at, err := server{
		name:  name,
		image: "kerberos",
		cmd:   []string{"bash", "/srv/serve.sh"},
		files: pki.serverFiles(host),
		ports: []string{"88/tcp", "143/tcp", "389/tcp", "587/tcp", "636/tcp", "1389/tcp", "2389/tcp", "3389/tcp", "4389/tcp"},
		ask: func(ctx context.Context, at addresses) error {
			for _, port := range []string{"389/tcp", "1389/tcp", "2389/tcp", "3389/tcp", "4389/tcp"} {
				if err := askStartTLS(ctx, at[port], trust); err != nil {
					return err
				}
			}
			return askAll(trust, submissionProbe("587/tcp"), imapProbe("143/tcp"))(ctx, at)
		},
	}.start()
	if err != nil {
		return nil, err
	}
	return &KerberosServer{
		Named: Named{Host: host, CA: pki.Pool, PKI: pki},
		KDC:   at["88/tcp"], LDAP: at["389/tcp"], LDAPS: at["636/tcp"], LDAPSkewed: at["1389/tcp"],
		LDAPConfidentiality: at["2389/tcp"], LDAPIntegrity: at["3389/tcp"], LDAPSmall: at["4389/tcp"],
		IMAP: at["143/tcp"], Submission: at["587/tcp"], realm: "KERBEROS.TEST", container: name,
	}, nil
}

// Config writes a krb5.conf for the server, with further lines in libdefaults, and returns its path.
func (s *KerberosServer) Config(tb testing.TB, libdefaults ...string) string {
	tb.Helper()
	return writeKerberosConfig(tb, s.realm, s.KDC, libdefaults)
}

func writeKerberosConfig(tb testing.TB, realm, kdc string, libdefaults []string) string {
	tb.Helper()
	text := fmt.Sprintf("[libdefaults]\ndefault_realm = %s\ndns_lookup_kdc = false\n%s\n[realms]\n%[1]s = {\n\tkdc = %[3]s\n}\n",
		realm, strings.Join(libdefaults, "\n"), kdc)
	path := filepath.Join(tb.TempDir(), "krb5.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// File copies a file of the folder /srv in the container, and returns the copy's path: alice.keytab and bob.keytab;
// alice.ccache, expired.ccache, and service.ccache, which has a ticket for LDAP only.
func (s *KerberosServer) File(tb testing.TB, name string) string {
	tb.Helper()
	content, err := readFrom(tb.Context(), s.container, "/srv/"+name)
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// askKDC sees whether a KDC serves. Docker's proxy accepts a connection that it then cannot pass on, and closes it; a
// KDC waits for a request.
func askKDC(ctx context.Context, address string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	_, err = io.ReadFull(conn, make([]byte, 1))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the KDC closed the connection: %w", err)
	}
	return nil
}
