package saslimap

import (
	"errors"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// TestStartTLSIsKept: a server that does not switch, and data that an attacker put
// behind its answer, are an ErrSecurity.
func TestStartTLSIsKept(t *testing.T) {
	for name, lines := range map[string][]string{
		"refused":              {"* OK hi", "<A1 STARTTLS", "A1 NO not here"},
		"unknown":              {"* OK hi", "<A1 STARTTLS", "A1 BAD what"},
		"injection":            {"* OK hi", "<A1 STARTTLS", "A1 OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN"},
		"injection on its own": {"* OK hi", "<A1 STARTTLS", "A1 OK begin", "~", "* CAPABILITY IMAP4rev1 AUTH=PLAIN"},
		"injected OK":          {"* OK hi", "<A1 STARTTLS", "A1 OK begin\r\nA2 OK capability completed"},
	} {
		c, err := NewStartTLS(t.Context(), prompt(t, lines...), "mail.example.org", nil)
		if !errors.Is(err, sasl.ErrSecurity) || c != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStartTLSRefused: a refusal is an ErrNoStartTLS or, if it is temporary, an
// ErrTemporary, and has the library's error.
func TestStartTLSRefused(t *testing.T) {
	for answer, want := range map[string]struct {
		class sasl.Class
		none  bool
		text  string
	}{
		"NO not here":                 {sasl.ErrSecurity, true, "security error: the server refuses STARTTLS or does not offer it, or somebody removed the offer: not here"},
		"BAD \x1b[2Jwhat":             {sasl.ErrSecurity, true, "security error: the server refuses STARTTLS or does not offer it, or somebody removed the offer: [2Jwhat"},
		"NO [UNAVAILABLE] \x1b later": {sasl.ErrTemporary, false, "temporary error: the server cannot do STARTTLS at the moment; try again later: imap: NO [UNAVAILABLE]  later"},
	} {
		conn := prompt(t, "* OK hi", "<A1 STARTTLS", "A1 "+answer)
		text := want.text + " (step: starttls, address: " + conn.RemoteAddr().String() + ")"
		_, err := NewStartTLS(t.Context(), conn, "mail.example.org", nil)
		var own *imap.Error
		if sasl.ClassOf(err) != want.class || errors.Is(err, transport.ErrNoStartTLS) != want.none || !errors.As(err, &own) || err.Error() != text {
			t.Errorf("%s: %v, want %s", answer, err, text)
		}
	}
}

// TestStartTLSAnswered: a continuation request is no refusal of STARTTLS.
func TestStartTLSAnswered(t *testing.T) {
	_, err := NewStartTLS(t.Context(), prompt(t, "* OK hi", "<A1 STARTTLS", "+ go on"), "mail.example.org", nil)
	if sasl.ClassOf(err) != sasl.ErrProtocol || errors.Is(err, transport.ErrNoStartTLS) {
		t.Error(err)
	}
}
