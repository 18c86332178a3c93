package harness

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
)

// MailServer is a running server, shared by the tests of a package.
type MailServer struct {
	Host       string         // the name its certificate is for, besides localhost and 127.0.0.1
	IMAP       string         // address, 127.0.0.1:port; STARTTLS
	IMAPS      string         // address; TLS from the first byte
	Submission string         // address; STARTTLS. It authenticates, but takes no mail
	CA         *x509.CertPool // trusts its certificate
	PKI        *PKI           // issued its certificate, and is the one whose client certificates it trusts
}

// Dovecot returns a server that offers PLAIN, ANONYMOUS, EXTERNAL and SCRAM with SHA-1 and SHA-256, the last two also
// with channel binding, and refuses the gs2 flag "y" for that. Its users are in docker/dovecot/users; each has one
// message, as has EXTERNAL's "alice".
func Dovecot(tb testing.TB) *MailServer {
	tb.Helper()
	return serverFor(tb, dovecot)
}

// DovecotNoPlus returns a server that differs from [Dovecot]'s in offering no channel binding and accepting "y".
func DovecotNoPlus(tb testing.TB) *MailServer {
	tb.Helper()
	return serverFor(tb, dovecotNoPlus)
}

var (
	dovecot       = sync.OnceValues(func() (*MailServer, error) { return startDovecot("dovecot") })
	dovecotNoPlus = sync.OnceValues(func() (*MailServer, error) { return startDovecot("dovecot-no-plus") })
)

func serverFor[T any](tb testing.TB, start func() (T, error)) T {
	tb.Helper()
	// The go command notes what is read while tests run: no cached result without this variable stands for a run with it.
	os.Getenv(requireDocker)
	s, err := start()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// startDovecot runs the image with the configuration of this name.
func startDovecot(name string) (*MailServer, error) {
	const host = "dovecot.test"
	pki := NewPKI()
	cert := pki.ServerCert(host, "localhost", "127.0.0.1")
	at, err := server{
		name:  name,
		image: "dovecot",
		cmd:   []string{"dovecot", "-F", "-c", "/etc/dovecot/" + name + ".conf"},
		files: map[string][]byte{
			"/certs/ca.pem":   pki.RootPEM(),
			"/certs/cert.pem": certPEM(cert),
			"/certs/key.pem":  keyPEM(cert),
		},
		ports: []string{"143/tcp", "993/tcp", "587/tcp"},
		ask: func(ctx context.Context, at addresses) error {
			return askIMAP(ctx, at["143/tcp"], &tls.Config{ServerName: host, RootCAs: pki.Pool})
		},
	}.start()
	if err != nil {
		return nil, err
	}
	return &MailServer{
		Host: host, IMAP: at["143/tcp"], IMAPS: at["993/tcp"], Submission: at["587/tcp"],
		CA: pki.Pool, PKI: pki,
	}, nil
}

// askIMAP sees whether a server greets, and does TLS with the certificate it was given.
func askIMAP(ctx context.Context, address string, config *tls.Config) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	lines := bufio.NewReader(conn)
	if err := expect(lines, "* OK "); err != nil {
		return err
	}
	if _, err := fmt.Fprint(conn, "a STARTTLS\r\n"); err != nil {
		return err
	}
	if err := expect(lines, "a OK "); err != nil {
		return err
	}
	return tls.Client(conn, config).HandshakeContext(ctx)
}

func expect(r *bufio.Reader, prefix string) error {
	line, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(line, prefix) {
		return fmt.Errorf("got %q, want %q…", line, prefix)
	}
	return nil
}
