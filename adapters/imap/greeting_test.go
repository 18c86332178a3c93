package saslimap

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// TestGreetings: each greeting that a server may send, and its class.
func TestGreetings(t *testing.T) {
	for _, row := range []struct {
		name  string
		lines []string
		class sasl.Class
		caps  []string
	}{
		{"with capabilities", []string{"* OK [CAPABILITY imap4rev1 auth=plain] hi"}, "", []string{"IMAP4REV1", "AUTH=PLAIN"}},
		{"asked for", []string{"* OK hi", "<A1 CAPABILITY", "* 5 EXISTS", "* CAPABILITY IMAP4rev1 AUTH=X", "A1 OK done"}, "", []string{"IMAP4REV1", "AUTH=X"}},
		{"in lower case", []string{"* ok [capability IMAP4rev1]"}, "", []string{"IMAP4REV1"}},
		{"without CR", []string{"* OK [CAPABILITY IMAP4rev1] hi\n* NOTHING"}, "", []string{"IMAP4REV1"}},
		{"BYE", []string{"* BYE come back later"}, sasl.ErrConnection, nil},
		{"another protocol", []string{"220 smtp.example.org ESMTP"}, sasl.ErrProtocol, nil},
		{"refused capabilities", []string{"* OK hi", "<A1 CAPABILITY", "A1 BAD what"}, sasl.ErrProtocol, nil},
		{"no capabilities", []string{"* OK hi", "<A1 CAPABILITY", "A1 OK done"}, sasl.ErrProtocol, nil},
		{"a flood", []string{"* OK hi", "<A1 CAPABILITY", strings.Repeat("* 1 EXISTS\r\n", 1001)}, sasl.ErrProtocol, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := NewConn(t.Context(), prompt(t, row.lines...), "", nil)
			if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
				t.Fatalf("%v, want class %q", err, row.class)
			}
			if err == nil && !slices.Equal(c.capabilities, row.caps) {
				t.Errorf("capabilities %q, want %q", c.capabilities, row.caps)
			}
		})
	}
}

// TestPreauth: a client that is to authenticate does not believe a server that
// claims to know the client already.
func TestPreauth(t *testing.T) {
	c, err := NewConn(t.Context(), prompt(t, "* PREAUTH [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(t.Context(), plain); !errors.Is(err, sasl.ErrSecurity) {
		t.Error(err)
	}
	if _, err := NewStartTLS(t.Context(), prompt(t, "* PREAUTH hello"), "", nil); !errors.Is(err, transport.ErrNoStartTLS) {
		t.Errorf("STARTTLS after PREAUTH: %v", err)
	}
}
