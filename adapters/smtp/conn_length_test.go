package saslsmtp_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestLongInitialResponse: a line of 512 octets has it, one of 513 does not
// (RFC 4954 s4), and a server that does not ask for it gets nothing.
func TestLongInitialResponse(t *testing.T) {
	client := func(octets int) *sasl.Client {
		return &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("u", strings.Repeat("p", octets-3)))}, Allow: plain.Allow}
	}
	message := func(octets int) string {
		return base64.StdEncoding.EncodeToString([]byte("\x00u\x00" + strings.Repeat("p", octets-3)))
	}
	// "AUTH PLAIN " + 498 octets in base64 + CRLF would not be a multiple of 4:
	// 372 octets are 496 of base64, which makes 509; 375 are 500, which is 513.
	greeting := []string{"220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN"}
	for name, authenticate := range authenticators {
		for _, row := range []struct {
			name  string
			size  int
			lines []string
			class sasl.Class
		}{
			{"509 octets", 372, []string{"<AUTH PLAIN " + message(372), "235 yes"}, ""},
			{"513 octets", 375, []string{"<AUTH PLAIN", "334 ", "<" + message(375), "235 yes"}, ""},
			{"no space behind 334", 375, []string{"<AUTH PLAIN", "334", "<" + message(375), "235 yes"}, ""},
			{"success instead of asking", 375, []string{"<AUTH PLAIN", "235 yes"}, sasl.ErrSecurity},
			{"another challenge instead", 375, []string{"<AUTH PLAIN", "334 YWJj"}, sasl.ErrProtocol},
		} {
			if name == "go-smtp" && row.lines[1] == "334" {
				continue // the library needs the space
			}
			lines := append(slices.Clone(greeting), row.lines...)
			if row.class == sasl.ErrProtocol && name == "net/smtp" { // which cancels; the other closes
				lines = append(lines, "<*", "501 cancelled")
			}
			_, err := authenticate(t, sasltest.Scripted(t, lines...), client(row.size))
			if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
				t.Errorf("%s, %s: %v", name, row.name, err)
			}
		}
	}
}

// TestLongestLine: a line of 512 octets, with its end, has the initial response, and
// one of 516 does not.
func TestLongestLine(t *testing.T) {
	greeting := []string{"220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH EXTERNAL"}
	for name, authenticate := range authenticators {
		for size, lines := range map[int][]string{
			372: {"<AUTH EXTERNAL " + strings.Repeat("dXV1", 124), "235 yes"},
			375: {"<AUTH EXTERNAL", "334 ", "<" + strings.Repeat("dXV1", 125), "235 yes"},
		} {
			auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.External(strings.Repeat("u", size))}, Allow: plain.Allow}
			if _, err := authenticate(t, sasltest.Scripted(t, append(slices.Clone(greeting), lines...)...), auth); err != nil {
				t.Errorf("%s, %d octets: %v", name, size, err)
			}
		}
	}
}

// TestBareLineTooLong: 500 5.5.6 to a line without an initial response is a refusal,
// because a second one cannot be shorter.
func TestBareLineTooLong(t *testing.T) {
	for name, authenticate := range authenticators {
		for line, auth := range map[string]*sasl.Client{
			"<AUTH PLAIN":    {Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("u", strings.Repeat("p", 400)))}, Allow: plain.Allow},
			"<AUTH X-SERVER": {Mechanisms: []sasl.Mechanism{afterServer{}}, Allow: plain.Allow},
		} {
			conn := sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN X-SERVER", line, "500 5.5.6 too long", "!")
			var reply *saslsmtp.Reply
			if _, err := authenticate(t, conn, auth); sasl.ClassOf(err) != sasl.ErrProtocol || !errors.As(err, &reply) || reply.Code != 500 {
				t.Errorf("%s, %s: %v", name, line, err)
			}
		}
	}
}

// afterServer is a mechanism whose first message is the server's.
type afterServer struct{}

func (afterServer) Name() string                 { return "X-SERVER" }
func (afterServer) New(sasl.Terms) sasl.Exchange { return afterServer{} }
func (afterServer) Identity() sasl.Identity      { return sasl.Identity{} }

func (afterServer) Step(_ context.Context, in []byte) ([]byte, bool, error) {
	if in == nil {
		return nil, false, nil
	}
	return []byte("hello"), true, nil
}

// TestLineTooLong: 500 5.5.6 to the AUTH line makes the client send the same
// message again when it is asked for; to a later line it is a refusal.
func TestLineTooLong(t *testing.T) {
	for name, authenticate := range authenticators {
		line := []string{"220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN", "<AUTH PLAIN " + plainMessage, "500 5.5.6 too long", "<AUTH PLAIN", "334 ", "<" + plainMessage}
		if _, err := authenticate(t, sasltest.Scripted(t, append(slices.Clone(line), "235 yes")...), plain); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := authenticate(t, sasltest.Scripted(t, append(line, "500 5.5.6 too long")...), plain); !errors.Is(err, sasl.ErrProtocol) {
			t.Errorf("%s, also too long by itself: %v", name, err)
		}
	}
}

// limitWays are all ways of a login, each over a connection that answers EHLO.
func limitWays() map[string]func(*testing.T, net.Conn, *sasl.Client) error {
	ways := allWays()
	ways["Conn"] = func(t *testing.T, conn net.Conn, auth *sasl.Client) error {
		c, err := saslsmtp.NewConn(t.Context(), conn, smtptest.Host, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Authenticate(t.Context(), auth)
		return err
	}
	return ways
}

// TestLongestResponse: RFC 4954 s4 has servers accept 12288 octets of base64, which
// are 9216 octets. Nothing of a longer message is sent.
func TestLongestResponse(t *testing.T) {
	for name, authenticate := range limitWays() {
		for _, octets := range []int{9216, 9217} {
			message := "\x00u\x00" + strings.Repeat("p", octets-3)
			auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("u", message[3:]))}, Allow: plain.Allow}
			auth.Retry = func(_ context.Context, failed error) *sasl.Client {
				if octets == 9216 || sasl.ClassOf(failed) != sasl.ErrConfig {
					t.Errorf("%s, %d: %v", name, octets, failed)
				}
				return plain
			}
			lines := []string{"220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN"}
			if octets == 9216 {
				encoded := base64.StdEncoding.EncodeToString([]byte(message))
				if len(encoded) != 12288 {
					t.Fatal(len(encoded))
				}
				lines = append(lines, "<AUTH PLAIN", "334 ", "<"+encoded, "235 yes")
			} else { // the first command after EHLO
				lines = append(lines, "<AUTH PLAIN "+plainMessage, "235 yes")
			}
			if name == "Conn" {
				lines[1] = ehlo
			}
			if name == "value" && octets > 9216 { // which has no second attempt, and ends the connection
				lines = append(lines[:3], "<QUIT", "221 bye")
			}
			conn := sasltest.Scripted(t, lines...)
			conn.SetDeadline(time.Now().Add(8 * time.Second))
			err := authenticate(t, conn, auth)
			if name == "value" && octets > 9216 {
				if sasl.ClassOf(err) != sasl.ErrConfig {
					t.Errorf("%s, %d: %v", name, octets, err)
				}
			} else if err != nil {
				t.Errorf("%s, %d: %v", name, octets, err)
			}
		}
	}
}

// TestLongestResponseRefused: a server that does not accept the longest line after
// all refuses it, or hangs up.
func TestLongestResponseRefused(t *testing.T) {
	message := "\x00u\x00" + strings.Repeat("p", 9213)
	auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("u", message[3:]))}, Allow: plain.Allow}
	for name, authenticate := range authenticators {
		for _, row := range []struct {
			answer string
			class  sasl.Class
			code   int
			closed bool
		}{
			{"500 5.5.6 too long", sasl.ErrProtocol, 500, false},
			{"535 5.7.8 no", sasl.ErrAuthentication, 535, false},
			{"!", sasl.ErrConnection, 0, true},
		} {
			conn := sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN",
				"<AUTH PLAIN", "334 ", "<"+base64.StdEncoding.EncodeToString([]byte(message)), row.answer)
			_, err := authenticate(t, conn, auth)
			var reply *saslsmtp.Reply
			if errors.As(err, &reply) != (row.code != 0) || reply != nil && reply.Code != row.code || sasl.ClassOf(err) != row.class {
				t.Errorf("%s, %s: %v", name, row.answer, err)
			}
			if _, err := conn.Write([]byte("x")); (err != nil) != row.closed {
				t.Errorf("%s, %s: %v, want closed: %t", name, row.answer, err, row.closed)
			}
		}
	}
}

// TestNothingToStart: a run that cannot begin sends no AUTH, and its error is the
// login's. Net/smtp says QUIT.
func TestNothingToStart(t *testing.T) {
	auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("u", "a\x00b"))}, Allow: plain.Allow}
	for way, authenticate := range allWays() {
		lines := []string{"220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN"}
		if way == "value" {
			lines = append(lines, "<QUIT", "221 bye")
		}
		if err := authenticate(t, sasltest.Scripted(t, append(lines, "!")...), auth); sasl.ClassOf(err) != sasl.ErrConfig {
			t.Errorf("%s: %v", way, err)
		}
	}
}

// TestServerFirst: a mechanism without an initial response has none in any way, also
// not a late one.
func TestServerFirst(t *testing.T) {
	auth := &sasl.Client{Mechanisms: []sasl.Mechanism{afterServer{}}, Allow: plain.Allow}
	for way, authenticate := range allWays() {
		conn := sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH X-SERVER", "<AUTH X-SERVER", "334 YWJj", "<aGVsbG8=", "235 yes")
		if err := authenticate(t, conn, auth); err != nil {
			t.Errorf("%s: %v", way, err)
		}
	}
}
