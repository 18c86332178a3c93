package saslsmtp_test

import (
	"bytes"
	"errors"
	"testing"

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
	}
}
