package saslsmtp_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestGoSMTPInPieces: a reply of several lines has the same outcome however it
// arrives, and so has a line that arrives in parts.
func TestGoSMTPInPieces(t *testing.T) {
	for name, row := range map[string]struct {
		answer []string // in parts
		class  sasl.Class
		text   string
	}{
		"success, a line at a time":     {[]string{"235-2.7.0 welcome\r\n", "235 2.7.0 Accepted\r\n"}, "", ""},
		"success, cut in the last line": {[]string{"235-2.7.0 welcome\r\n", "235 2.7.0 Acc", "epted\r\n"}, "", ""},
		"success, cut in the CRLF":      {[]string{"235 2.7.0 Accepted\r", "\n"}, "", ""},
		"a refusal, a line at a time":   {[]string{"535-5.7.8 no\r\n", "535 5.7.8 more\r\n"}, sasl.ErrAuthentication, "authentication error: refused with not-authorized: no more"},
		"a refusal, cut in a line":      {[]string{"535 5.7", ".8 no\r\n"}, sasl.ErrAuthentication, "authentication error: refused with not-authorized: no"},
		"a line beyond the limit":       {[]string{"334 " + strings.Repeat("A", 1200), strings.Repeat("A", 1500)}, sasl.ErrProtocol, "protocol error: smtp: too long a line in input stream; use a Conn or net/smtp, which read longer lines"},
		"a refusal, cut in the CRLF":    {[]string{"535 5.7.8 no\r", "\n"}, sasl.ErrAuthentication, "authentication error: refused with not-authorized: no"},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := sasltest.Pair(t)
			go sayInParts(far, row.answer)
			client := smtp.NewClient(near)
			defer client.Close()
			_, err := saslsmtp.Authenticate(t.Context(), client, plain, saslsmtp.Existing{Host: "mail.example.org"})
			if sasl.ClassOf(err) != row.class || err != nil && err.Error() != row.text {
				t.Errorf("%v, want class %q, %s", err, row.class, row.text)
			}
		})
	}
}

// TestGoSMTPEveryCut: a refusal that is cut anywhere is the same refusal, the client
// sends nothing after it, and the next attempt succeeds.
func TestGoSMTPEveryCut(t *testing.T) {
	for cut := range 2 * len("535-5.7.8 no\r\n535 5.7.8 never\r\n") {
		refusal, code, enhanced := "535-5.7.8 no\r\n535 5.7.8 never\r\n", 535, [3]int{5, 7, 8}
		if cut%2 == 1 {
			refusal, code, enhanced = "454-4.7.0 no\r\n454 4.7.0 never\r\n", 454, [3]int{4, 7, 0}
		}
		cut := cut / 2
		near, far := sasltest.Pair(t)
		seen := make(chan []string, 1)
		go func() {
			var lines []string
			defer func() { seen <- lines }()
			defer far.Close()
			far.SetDeadline(time.Now().Add(10 * time.Second))
			reader := bufio.NewReader(far)
			for _, answer := range [][]string{
				{"220 hi\r\n"}, {"250-mail.example.org\r\n250 AUTH PLAIN\r\n"}, {refusal[:cut], refusal[cut:]}, {"235 yes\r\n"}, {"250 OK\r\n"},
			} {
				for _, part := range answer {
					io.WriteString(far, part)
					time.Sleep(2 * time.Millisecond) // so that the parts are read apart
				}
				line, err := reader.ReadString('\n')
				if err != nil {
					return
				}
				lines = append(lines, line)
			}
		}()
		client := smtp.NewClient(near)
		existing := saslsmtp.Existing{Host: "mail.example.org"}
		_, err := saslsmtp.Authenticate(t.Context(), client, plain, existing)
		var reply *saslsmtp.Reply
		if !errors.As(err, &reply) || reply.Code != code || reply.Enhanced != enhanced || reply.Text != "no\nnever" {
			t.Errorf("cut at %d: %v", cut, err)
		}
		if _, err := saslsmtp.Authenticate(t.Context(), client, plain, existing); err != nil {
			t.Errorf("cut at %d, the next attempt: %v", cut, err)
		}
		if err := client.Noop(); err != nil {
			t.Errorf("cut at %d, NOOP: %v", cut, err)
		}
		client.Close()
		want := []string{"EHLO localhost\r\n", "AUTH PLAIN " + plainMessage + "\r\n", "AUTH PLAIN " + plainMessage + "\r\n", "NOOP\r\n"}
		if got := <-seen; !slices.Equal(got, want) {
			t.Errorf("cut at %d: the client sent %q", cut, got)
		}
	}
}

// sayInParts is a server that lists PLAIN, and answers AUTH in parts. It answers
// everything else, such as a "*" of the library, as servers do.
func sayInParts(conn net.Conn, answer []string) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	say := func(parts ...string) {
		for _, part := range parts {
			io.WriteString(conn, part)
			time.Sleep(20 * time.Millisecond) // so that they are read apart
		}
	}
	hear := make([]byte, 1024)
	say("220 hi\r\n")
	conn.Read(hear)
	say("250-mail.example.org\r\n250 AUTH PLAIN\r\n")
	conn.Read(hear)
	say(answer...)
	for {
		if _, err := conn.Read(hear); err != nil {
			return
		}
		say("500 5.5.1 unknown command\r\n")
	}
}
