package integration

import (
	"errors"
	"strings"
	"testing"
	"time"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// TestSASLIMAPWrongPort: Dovecot's clear port ends a TLS handshake at once, and its
// TLS port waits for the client. Both errors name the other function.
func TestSASLIMAPWrongPort(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	config := srv.ClientConfig(0)
	began := time.Now()
	_, err := saslimap.DialTLS(t.Context(), srv.IMAP, &saslimap.Options{TLSConfig: config})
	var step *transport.StepError
	if !errors.As(err, &step) || step.Step != transport.TLSHandshake || !strings.Contains(err.Error(), `it sent "* OK "`) {
		t.Errorf("TLS on the clear port: %v", err)
	}
	if since := time.Since(began); since > 5*time.Second {
		t.Errorf("after %s", since)
	}
	_, err = saslimap.DialStartTLS(t.Context(), srv.IMAPS, &saslimap.Options{TLSConfig: config, StepTimeout: time.Second})
	if sasl.ClassOf(err) != sasl.ErrConnection || !strings.Contains(err.Error(), "if this port is for TLS, use DialTLS") {
		t.Errorf("no TLS on the TLS port: %v", err)
	}
}

// TestSASLIMAPWordsOfDovecot: the words for which TestWordsOfRefusals of the adapter
// has a class.
func TestSASLIMAPWordsOfDovecot(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	c := dialIMAP(t, srv.IMAPS, srv.ClientConfig(0))
	if _, status := c.command(t, "AUTHENTICATE X-UNLISTED"); status != "NO [ALERT] Unsupported authentication mechanism." {
		t.Errorf("an unlisted mechanism: %q", status)
	}
}
