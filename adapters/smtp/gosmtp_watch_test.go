package saslsmtp_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestGoSMTPRefused: nothing follows a refusal, so that the next attempt is the
// next command, and the client's own DebugWriter has seen it all.
func TestGoSMTPRefused(t *testing.T) {
	var log bytes.Buffer
	client := smtp.NewClient(sasltest.Scripted(t,
		"220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN",
		"<AUTH PLAIN "+plainMessage, "535-5.7.8 no\r\n535 5.7.8 never",
		"<AUTH PLAIN "+plainMessage, "334 YWJj",
	))
	client.DebugWriter = &log
	existing := saslsmtp.Existing{Host: smtptest.Host}
	if _, err := saslsmtp.Authenticate(t.Context(), client, plain, existing); !errors.Is(err, sasl.ErrAuthentication) {
		t.Errorf("the first: %v", err)
	}
	// PLAIN has nothing to say to a challenge that is not empty.
	if _, err := saslsmtp.Authenticate(t.Context(), client, plain, existing); !errors.Is(err, sasl.ErrProtocol) {
		t.Errorf("the second: %v", err)
	}
	want := "220 hi\r\nEHLO localhost\r\n250-mail.example.org\r\n250 AUTH PLAIN\r\n" +
		"AUTH PLAIN " + plainMessage + "\r\n535-5.7.8 no\r\n535 5.7.8 never\r\n" +
		"AUTH PLAIN " + plainMessage + "\r\n334 YWJj\r\n"
	if log.String() != want {
		t.Errorf("logged %q, want %q", log.String(), want)
	}
	if client.DebugWriter != &log {
		t.Error("the DebugWriter is another one")
	}
}

// TestGoSMTPTrailing: data behind a refusal does not hide the refusal, and data
// behind a challenge is an ErrProtocol.
func TestGoSMTPTrailing(t *testing.T) {
	for replies, class := range map[string]sasl.Class{
		"535 5.7.8 no\r\n421 4.7.0 too many errors": sasl.ErrAuthentication,
		"334 \r\n235 yes": sasl.ErrProtocol,
	} {
		conn := sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN", "<AUTH PLAIN "+plainMessage, replies)
		if _, err := saslsmtp.Authenticate(t.Context(), smtp.NewClient(conn), plain, saslsmtp.Existing{Host: smtptest.Host}); !errors.Is(err, class) {
			t.Errorf("%q: %v", replies, err)
		}
		if _, err := conn.Write([]byte("x")); err == nil {
			t.Errorf("%q: the connection is open, although nobody knows what the next reply answers", replies)
		}
	}
}

// TestGoSMTPCut: a reply that ends with the connection is no reply, whatever the part
// says. The library takes the part for a line.
func TestGoSMTPCut(t *testing.T) {
	for _, part := range []string{"2", "235", "235 2.7.0 yes", "235 2.7.0 yes\r", "235-2.7.0 yes\r\n", "334 ", "454 4.7.0 no", "535 5.7.8 no"} {
		near, far := sasltest.Pair(t)
		go func() {
			far.SetDeadline(time.Now().Add(8 * time.Second))
			reader := bufio.NewReader(far)
			for _, say := range []string{"220 hi\r\n", "250-mail.example.org\r\n250 AUTH PLAIN\r\n"} {
				io.WriteString(far, say)
				reader.ReadString('\n')
			}
			io.WriteString(far, part)
			far.Close()
		}()
		_, err := saslsmtp.Authenticate(t.Context(), smtp.NewClient(near), plain, saslsmtp.Existing{Host: smtptest.Host})
		if sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			t.Errorf("%q: %v", part, err)
		}
	}
}

// TestGoSMTPLongLine: a line of 1990 octets, with the CR, is read, and one octet more
// is an error that names what reads longer lines.
func TestGoSMTPLongLine(t *testing.T) {
	for octets, want := range map[int]string{1990: "", 1991: "protocol error: smtp: too long a line in input stream; use a Conn or net/smtp, which read longer lines"} {
		conn := sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN", "<AUTH PLAIN "+plainMessage, "235 "+strings.Repeat("y", octets-5))
		_, err := saslsmtp.Authenticate(t.Context(), smtp.NewClient(conn), plain, saslsmtp.Existing{Host: smtptest.Host})
		if fmt.Sprint(err) != want && (err != nil || want != "") {
			t.Errorf("%d: %v", octets, err)
		}
	}
}

// fullDisk is a DebugWriter that cannot write.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space") }

// TestGoSMTPDebugWriterFails: the error of the client's own DebugWriter ends the login,
// as it does in the library.
func TestGoSMTPDebugWriterFails(t *testing.T) {
	client := smtp.NewClient(sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN", "<AUTH PLAIN "+plainMessage, "235 yes"))
	if err := client.Hello("localhost"); err != nil {
		t.Fatal(err)
	}
	client.DebugWriter = fullDisk{}
	if _, err := saslsmtp.Authenticate(t.Context(), client, plain, saslsmtp.Existing{Host: smtptest.Host}); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Error(err)
	}
}
