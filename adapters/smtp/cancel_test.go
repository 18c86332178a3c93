package saslsmtp_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	netsmtp "net/smtp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// cancellable are the ways of a login that have a context.
var cancellable = map[string]func(ctx context.Context, conn net.Conn) error{
	"Conn": func(ctx context.Context, conn net.Conn) error {
		c, err := saslsmtp.NewConn(ctx, conn, smtptest.Host, nil)
		if err != nil {
			return err
		}
		_, err = c.Authenticate(ctx, plain)
		return err
	},
	"Conn, STARTTLS": func(ctx context.Context, conn net.Conn) error {
		_, err := saslsmtp.NewStartTLS(ctx, conn, smtptest.Host, nil)
		return err
	},
	"Conn, TLS": func(ctx context.Context, conn net.Conn) error {
		_, err := saslsmtp.NewConn(ctx, tls.Client(conn, &tls.Config{ServerName: smtptest.Host}), smtptest.Host, nil)
		return err
	},
	"go-smtp": func(ctx context.Context, conn net.Conn) error {
		_, err := saslsmtp.Authenticate(ctx, smtp.NewClient(conn), plain, saslsmtp.Existing{Host: smtptest.Host})
		return err
	},
	"net/smtp": func(ctx context.Context, conn net.Conn) error {
		client, err := netsmtp.NewClient(conn, smtptest.Host)
		if err != nil {
			return err
		}
		_, err = saslsmtp.AuthenticateNet(ctx, client, plain, saslsmtp.Existing{Host: smtptest.Host})
		return err
	},
}

// TestCancelInEveryState: the end of the context ends the login at once, also while
// the peer reads nothing, so that a write waits.
func TestCancelInEveryState(t *testing.T) {
	const (
		read   = smtptest.Read
		hello  = "250-mail.example.org\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
		halves = "535-5.7.8 n"
	)
	for state, row := range map[string]struct {
		script []string
		ways   string
	}{
		"no greeting":         {nil, "Conn; Conn, STARTTLS; Conn, TLS; go-smtp"},
		"half a greeting":     {[]string{"220-h"}, "Conn; Conn, STARTTLS; go-smtp"},
		"another protocol":    {[]string{"* OK"}, "Conn; Conn, STARTTLS"},
		"EHLO is not read":    {[]string{"220 hi\r\n"}, "Conn; Conn, STARTTLS; go-smtp; net/smtp"},
		"EHLO has no answer":  {[]string{"220 hi\r\n", read, "250-m"}, "Conn; Conn, STARTTLS; go-smtp; net/smtp"},
		"STARTTLS is unread":  {[]string{"220 hi\r\n", read, hello}, "Conn, STARTTLS"},
		"STARTTLS, no answer": {[]string{"220 hi\r\n", read, hello, read}, "Conn, STARTTLS"},
		"no handshake":        {[]string{"220 hi\r\n", read, hello, read, "220 go\r\n"}, "Conn, STARTTLS"},
		"AUTH is not read":    {[]string{"220 hi\r\n", read, hello}, "Conn; go-smtp; net/smtp"},
		"AUTH has no answer":  {[]string{"220 hi\r\n", read, hello, read}, "Conn; go-smtp; net/smtp"},
		"half an answer":      {[]string{"220 hi\r\n", read, hello, read, halves}, "Conn; go-smtp; net/smtp"},
		"response is unread":  {[]string{"220 hi\r\n", read, hello, read, "334 \r\n"}, "Conn; go-smtp; net/smtp"},
		"response, no answer": {[]string{"220 hi\r\n", read, hello, read, "334 \r\n", read}, "Conn; go-smtp; net/smtp"},
		"abort is not read":   {[]string{"220 hi\r\n", read, hello, read, "334 YWJj\r\n"}, "Conn; net/smtp"},
		"abort has no answer": {[]string{"220 hi\r\n", read, hello, read, "334 YWJj\r\n", read}, "Conn; net/smtp"},
	} {
		for way := range strings.SplitSeq(row.ways, "; ") {
			t.Run(state+"/"+way, func(t *testing.T) {
				smtptest.Cancel(t, row.script, cancellable[way])
			})
		}
	}
}

// TestAbortTakenForSuccess: a server that answers "*" with success has not ended the
// exchange, and the connection is closed. The error is the first one.
func TestAbortTakenForSuccess(t *testing.T) {
	for answer, open := range map[string]bool{"501 5.7.0 cancelled": true, "454 4.7.0 cancelled": true, "235 2.7.0 welcome": false, "334 ": false, "250 OK": false} {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			far.SetDeadline(time.Now().Add(5 * time.Second))
			reader := bufio.NewReader(far)
			for _, say := range []string{"220 hi", "250-mail.example.org\r\n250 AUTH PLAIN", "334 YWJj", answer, "250 OK"} {
				io.WriteString(far, say+"\r\n")
				if _, err := reader.ReadString('\n'); err != nil {
					return
				}
			}
		}()
		c, err := saslsmtp.NewConn(t.Context(), near, smtptest.Host, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Authenticate(t.Context(), plain); sasl.ClassOf(err) != sasl.ErrProtocol || !strings.Contains(err.Error(), "challenge") {
			t.Errorf("%s: %v", answer, err)
		}
		near.SetDeadline(time.Now().Add(time.Second))
		if _, err := io.WriteString(near, "NOOP\r\n"); (err == nil) != open {
			t.Errorf("%s: writing afterwards: %v", answer, err)
		}
		near.Close()
	}
}

// TestCloseUnderTLS: a login that ends with an ErrSecurity does not wait until the
// peer reads the close_notify of TLS.
func TestCloseUnderTLS(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, smtptest.Host)
	near, far := net.Pipe()
	defer far.Close()
	go func() {
		far.SetDeadline(time.Now().Add(8 * time.Second))
		server := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{certificate}})
		reader := bufio.NewReader(server)
		for _, say := range []string{"220 hi", "250-mail.example.org\r\n250 AUTH SCRAM-SHA-256"} {
			io.WriteString(server, say+"\r\n")
			reader.ReadString('\n')
		}
		io.WriteString(server, "235 yes\r\n")
	}()
	c, err := saslsmtp.NewConn(t.Context(), tls.Client(near, &tls.Config{RootCAs: pool, ServerName: smtptest.Host}), smtptest.Host, nil)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = c.Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)})
	if took := time.Since(start); sasl.ClassOf(err) != sasl.ErrSecurity || took > 3*time.Second {
		t.Errorf("after %s: %v", took, err) // crypto/tls alone waits five seconds
	}
}
