package saslsmtp_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestClient: the client of a Conn says EHLO and works, and a reply that the server
// sent unasked is not lost.
func TestClient(t *testing.T) {
	for _, unasked := range []string{"", "\r\n421 4.3.2 closing"} {
		for name, mail := range map[string]func(*saslsmtp.Conn) error{
			"go-smtp":  func(c *saslsmtp.Conn) error { return c.Client().Mail("a@example.org", nil) },
			"net/smtp": func(c *saslsmtp.Conn) error { return c.NetClient().Mail("a@example.org") },
		} {
			lines := []string{"220 hi", ehlo, "250-mail.example.org\r\n250 AUTH PLAIN", "<AUTH PLAIN " + plainMessage, "235 2.7.0 yes" + unasked, "<EHLO localhost"}
			if unasked == "" {
				lines = append(lines, "250 mail.example.org", "<MAIL FROM:<a@example.org>", "250 2.1.0 OK")
			} else if name == "net/smtp" { // whatever EHLO gets
				lines = append(lines, "<HELO localhost", "421 4.3.2 closing again")
			}
			c, err := saslsmtp.NewConn(t.Context(), sasltest.Scripted(t, lines...), smtptest.Host, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Authenticate(t.Context(), plain); err != nil {
				t.Fatal(err)
			}
			err = mail(c)
			if unasked == "" && err != nil || unasked != "" && (err == nil || !strings.Contains(err.Error(), "closing")) {
				t.Errorf("%s, %q: %v", name, unasked, err)
			}
		}
	}
}

// TestNoTimeoutRemains: after the hand-over a server may take longer than a step.
func TestNoTimeoutRemains(t *testing.T) {
	near, far := sasltest.Pair(t)
	go func() {
		hear := make([]byte, 256)
		for _, answer := range []string{"220 hi", "250-mail.example.org\r\n250 AUTH PLAIN", "235 yes", "250 mail.example.org"} {
			io.WriteString(far, answer+"\r\n")
			far.Read(hear)
		}
		time.Sleep(150 * time.Millisecond)
		io.WriteString(far, "250 OK\r\n")
	}()
	ctx, cancel := context.WithCancel(t.Context())
	c, err := saslsmtp.NewConn(ctx, near, "", &saslsmtp.Options{StepTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(ctx, plain); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := c.Client().Noop(); err != nil {
		t.Error(err)
	}
}
