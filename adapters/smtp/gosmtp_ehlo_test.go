package saslsmtp_test

import (
	"errors"
	"testing"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestGoSMTPHelloAgain: a client that has said EHLO and has no list says EHLO once
// more, after RSET. If the list is there then, nothing but AUTH follows.
func TestGoSMTPHelloAgain(t *testing.T) {
	before := []string{"220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 SIZE 1"}
	for name, row := range map[string]struct {
		lines []string
		class sasl.Class
		text  string
	}{
		"a list at last":     {[]string{"<RSET", "250 flushed", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN", "<AUTH PLAIN " + plainMessage, "235 yes"}, "", ""},
		"RSET is refused":    {[]string{"<RSET", "554 go away", "!"}, sasl.ErrConnection, "connection error: the server rejects the connection: 554 go away"},
		"RSET is cut":        {[]string{"<RSET", "!"}, sasl.ErrConnection, "connection error: EOF"},
		"RSET has no answer": {[]string{"<RSET", "what", "!"}, sasl.ErrProtocol, "protocol error: short response: \"what\""},
	} {
		client := smtp.NewClient(sasltest.Scripted(t, append(before, row.lines...)...))
		if err := client.Hello("localhost"); err != nil {
			t.Fatal(err)
		}
		_, err := saslsmtp.Authenticate(t.Context(), client, plain, saslsmtp.Existing{Host: smtptest.Host})
		if sasl.ClassOf(err) != row.class || err != nil && err.Error() != row.text {
			t.Errorf("%s: %v, want %s", name, err, row.text)
		}
	}
}

// TestGoSMTPForeign: an invalid reply is an ErrProtocol, also before AUTH.
func TestGoSMTPForeign(t *testing.T) {
	for name, lines := range map[string][]string{
		"in the greeting": {"* OK hi"},
		"at EHLO":         {"220 hi", "<EHLO localhost", "x", "!"},
	} {
		_, err := saslsmtp.Authenticate(t.Context(), smtp.NewClient(sasltest.Scripted(t, lines...)), plain, saslsmtp.Existing{Host: smtptest.Host})
		if !errors.Is(err, sasl.ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGoSMTPHelloIsBounded: the replies to EHLO have 199000 octets at most.
func TestGoSMTPHelloIsBounded(t *testing.T) {
	var buffer saslsmtp.BoundedBuffer
	if n, err := buffer.Write(make([]byte, 199000)); n != 199000 || err != nil {
		t.Error(n, err)
	}
	if _, err := buffer.Write(make([]byte, 1)); !errors.Is(err, sasl.ErrProtocol) {
		t.Error(err)
	}
}

// TestNetHelloAgain: a server that does not want a second EHLO has no list, and any
// other refusal is about the connection.
func TestNetHelloAgain(t *testing.T) {
	for answer, class := range map[string]sasl.Class{
		"500 what": sasl.ErrPolicy, "502 no": sasl.ErrPolicy, "503 again": sasl.ErrPolicy,
		"501 no": sasl.ErrConnection, "504 no": sasl.ErrConnection,
	} {
		conn := sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 SIZE 1", "<EHLO localhost", answer)
		if _, err := authenticators["net/smtp"](t, conn, plain); sasl.ClassOf(err) != class {
			t.Errorf("%s: %v", answer, err)
		}
	}
}
