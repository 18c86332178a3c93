package saslsmtp_test

import (
	"fmt"
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

// TestEndlessReply: a reply without an end is given up after a bound, also if no
// part of it ends where a line does.
func TestEndlessReply(t *testing.T) {
	const most = 12 << 20 // octets, the buffers of both ends included
	existing := saslsmtp.Existing{Host: smtptest.Host}
	for name, row := range map[string]struct {
		after        string // the command that has the reply
		code         string
		authenticate func(conn net.Conn) error
	}{
		"go-smtp, EHLO": {"EHLO", "250", func(conn net.Conn) error {
			_, err := saslsmtp.Authenticate(t.Context(), smtp.NewClient(conn), plain, existing)
			return err
		}},
		"go-smtp, AUTH": {"AUTH", "334", func(conn net.Conn) error {
			_, err := saslsmtp.Authenticate(t.Context(), smtp.NewClient(conn), plain, existing)
			return err
		}},
		"go-smtp, a refusal": {"AUTH", "535", func(conn net.Conn) error {
			_, err := saslsmtp.Authenticate(t.Context(), smtp.NewClient(conn), plain, existing)
			return err
		}},
		"net/smtp, AUTH": {"AUTH", "334", func(conn net.Conn) error {
			client, err := netsmtp.NewClient(conn, smtptest.Host)
			if err != nil {
				return err
			}
			_, err = saslsmtp.AuthenticateNet(t.Context(), client, plain, existing)
			return err
		}},
		"Conn, EHLO": {"EHLO", "250", func(conn net.Conn) error {
			_, err := saslsmtp.NewConn(t.Context(), conn, smtptest.Host, nil)
			return err
		}},
	} {
		near, far := sasltest.Pair(t)
		far.SetDeadline(time.Now().Add(8 * time.Second))
		sent := make(chan int, 1)
		go func() {
			total := 0
			defer func() { sent <- total }()
			defer far.Close()
			hear := make([]byte, 1024)
			io.WriteString(far, "220 hi\r\n")
			far.Read(hear)
			if row.after == "AUTH" {
				io.WriteString(far, "250-mail.example.org\r\n250 AUTH PLAIN\r\n")
				far.Read(hear)
			}
			line := row.code + "-aa\r\n" // 8 octets, a part of every buffer
			part := line[1:] + strings.Repeat(line, 511) + line[:1]
			fmt.Fprint(far, line[:1])
			for total < 2*most {
				n, err := io.WriteString(far, part)
				total += n
				if err != nil {
					return
				}
			}
		}()
		if err := row.authenticate(near); sasl.ClassOf(err) != sasl.ErrProtocol {
			t.Errorf("%s: %v", name, err)
		}
		near.Close()
		if total := <-sent; total > most {
			t.Errorf("%s: %d octets were taken", name, total)
		}
	}
}

// TestEndlessReplyInParts shows that the bound holds if each part ends within a line:
// the client of go-smtp then cannot know that more follows.
func TestEndlessReplyInParts(t *testing.T) {
	const parts = 400
	for _, code := range []string{"334", "535"} {
		near, far := sasltest.Pair(t)
		far.SetDeadline(time.Now().Add(8 * time.Second))
		sent := make(chan int, 1)
		go func() {
			count := 0
			defer func() { sent <- count }()
			defer far.Close()
			hear := make([]byte, 1024)
			io.WriteString(far, "220 hi\r\n")
			far.Read(hear)
			io.WriteString(far, "250-mail.example.org\r\n250 AUTH PLAIN\r\n")
			far.Read(hear)
			io.WriteString(far, code)
			for ; count < parts; count++ {
				if _, err := io.WriteString(far, "-a\r\n"+code); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		}()
		_, err := saslsmtp.Authenticate(t.Context(), smtp.NewClient(near), plain, saslsmtp.Existing{Host: smtptest.Host})
		if sasl.ClassOf(err) != sasl.ErrProtocol || !strings.Contains(err.Error(), "more than 100 lines") {
			t.Errorf("%s: %v", code, err)
		}
		near.Close()
		if count := <-sent; count > parts-50 {
			t.Errorf("%s: %d parts were taken", code, count)
		}
	}
}
