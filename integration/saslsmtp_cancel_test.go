package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	netsmtp "net/smtp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// smtpAnswers are the server's answers that are awaited under the context, in
// order; the libraries that wait for the greeting by themselves have no context
// there.
var smtpAnswers = []struct {
	name   string
	held   func(line string, challenges int) bool
	greets bool // only if our part begins with the greeting
}{
	{"greeting", func(line string, _ int) bool { return strings.HasPrefix(line, "220 ") }, true},
	{"EHLO", func(line string, _ int) bool { return strings.HasPrefix(line, "250 ") }, false},
	{"server-first", func(_ string, challenges int) bool { return challenges == 1 }, false},
	{"server-final", func(_ string, challenges int) bool { return challenges == 2 }, false},
	{"success", func(line string, _ int) bool { return strings.HasPrefix(line, "235 ") }, false},
}

// TestSASLSMTPCancel: the context ends while an answer is held back, each of
// them in turn.
func TestSASLSMTPCancel(t *testing.T) {
	t.Parallel()
	srv := harness.Postfix(t)
	for _, answer := range smtpAnswers {
		t.Run("go-smtp/"+answer.name, func(t *testing.T) {
			t.Parallel()
			ctx, conn := holding(t, srv, answer.held)
			begin := time.Now()
			_, err := saslsmtp.Authenticate(ctx, smtp.NewClient(conn), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}, saslsmtp.Existing{Host: srv.Host})
			checkCancelled(t, begin, err)
		})
		if answer.greets {
			continue
		}
		t.Run("net/smtp/"+answer.name, func(t *testing.T) {
			t.Parallel()
			ctx, conn := holding(t, srv, answer.held)
			c, err := netsmtp.NewClient(conn, srv.Host)
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			_, err = saslsmtp.AuthenticateNet(ctx, c, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}, saslsmtp.Existing{Host: srv.Host})
			checkCancelled(t, begin, err)
		})
	}
}

// holding returns a connection on which an answer is held back, and a context
// that ends then.
func holding(t *testing.T, srv *harness.PostfixServer, held func(string, int) bool) (context.Context, net.Conn) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	challenges := 0
	at := attackedSubmission(t, srv.Named, srv.CyrusSASL, tls.VersionTLS13, srv.PKI, func(line string, _ bool) string {
		if strings.HasPrefix(line, "334 ") {
			challenges++
		}
		if held(line, challenges) {
			time.AfterFunc(10*time.Millisecond, cancel)
			return ""
		}
		return line
	})
	conn, err := tls.Dial("tcp", at.Implicit, srv.ClientConfig(tls.VersionTLS13))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return ctx, conn
}

func checkCancelled(t *testing.T, begin time.Time, err error) {
	t.Helper()
	if !errors.Is(err, sasl.ErrConnection) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}
