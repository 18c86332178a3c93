package integration

import (
	"crypto/tls"
	"net"
	"net/smtp"
	"testing"

	"github.com/saslkit/saslkit/integration/internal/harness"
)

func TestDovecotSubmission(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	conn, err := net.Dial("tcp", srv.Submission.STARTTLS)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c, err := smtp.NewClient(conn, srv.Host)
	if err != nil {
		t.Fatal(err)
	}
	checkExtension(t, c, "PLAIN SCRAM-SHA-1 SCRAM-SHA-256 EXTERNAL")
	if err := c.StartTLS(&tls.Config{ServerName: srv.Host, RootCAs: srv.CA}); err != nil {
		t.Fatal(err)
	}
	checkExtension(t, c, "PLAIN SCRAM-SHA-1 SCRAM-SHA-256 EXTERNAL SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS")
	if err := c.Auth(smtp.PlainAuth("", "alice", "secret", srv.Host)); err != nil {
		t.Fatal(err)
	}
	if err := c.Noop(); err != nil {
		t.Errorf("the session did not survive the authentication: %v", err)
	}
}

func checkExtension(t *testing.T, c *smtp.Client, want string) {
	t.Helper()
	if _, got := c.Extension("AUTH"); got != want {
		t.Errorf("AUTH: got %q, want %q", got, want)
	}
}
