package saslimap

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"go.uber.org/goleak"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var plain = &sasl.Client{
	Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("tim", "tanstaaftanstaaf"))},
	Allow:      func(sasl.Candidate) error { return nil },
}

// plainMessage is the base64 of RFC 4616's example.
const plainMessage = "AHRpbQB0YW5zdGFhZnRhbnN0YWFm"

// TestGreetings: what a server may say before we do.
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
			c, err := NewConn(t.Context(), sasltest.Scripted(t, row.lines...), "", nil)
			if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
				t.Fatalf("%v, want class %q", err, row.class)
			}
			if err == nil && !slices.Equal(c.capabilities, row.caps) {
				t.Errorf("capabilities %q, want %q", c.capabilities, row.caps)
			}
		})
	}
}

// TestPreauth: a server that claims to know us already is not believed where
// we are to authenticate.
func TestPreauth(t *testing.T) {
	c, err := NewConn(t.Context(), sasltest.Scripted(t, "* PREAUTH [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(t.Context(), plain); !errors.Is(err, sasl.ErrSecurity) {
		t.Error(err)
	}
	if _, err := NewStartTLS(t.Context(), sasltest.Scripted(t, "* PREAUTH hello"), "", nil); !errors.Is(err, sasl.ErrSecurity) {
		t.Errorf("STARTTLS after PREAUTH: %v", err)
	}
}

// TestLoginDisabled: the error says what the server wants.
func TestLoginDisabled(t *testing.T) {
	c, err := NewConn(t.Context(), sasltest.Scripted(t, "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(t.Context(), plain); !errors.Is(err, sasl.ErrPolicy) || !strings.Contains(err.Error(), "LOGINDISABLED") {
		t.Error(err)
	}
}

// TestInBetween: untagged responses, alerts and a literal between the lines of
// an exchange, a continuation request without its space, and one that is "=".
func TestInBetween(t *testing.T) {
	c, err := NewConn(t.Context(), sasltest.Scripted(t,
		"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi",
		"<A1 AUTHENTICATE PLAIN",
		"* OK [ALERT] Your disk is full",
		"* CAPABILITY IMAP4rev1 AUTH=NEW",
		"* LIST () {5}\r\nA1 OK {3}\r\nxyz",
		"+",
		"<"+plainMessage,
		"* BAD [ALERT] I do not understand "+plainMessage[:20],
		"* OK still here",
		"A1 NO [ALERT] Gone",
		"<A2 AUTHENTICATE PLAIN",
		"+ =",
		"<"+plainMessage,
		"A2 OK welcome"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := *plain
	_, err = c.Authenticate(t.Context(), &client)
	var own *imap.Error
	if !errors.Is(err, sasl.ErrAuthentication) || !errors.As(err, &own) || own.Code != "ALERT" || own.Text != "Gone" {
		t.Errorf("%v, %+v", err, own)
	}
	if want := []string{"Your disk is full", "(withheld: it repeats what was sent)", "Gone"}; !slices.Equal(c.Alerts(), want) {
		t.Errorf("alerts %q, want %q", c.Alerts(), want)
	}
	c.setCapabilities("IMAP4rev1 AUTH=PLAIN")
	if _, err = c.Authenticate(t.Context(), &client); err != nil {
		t.Error(err)
	}
	if c.capabilities != nil {
		t.Errorf("capabilities from before the login: %q", c.capabilities)
	}
	if _, err = c.Authenticate(t.Context(), &client); !errors.Is(err, sasl.ErrConfig) {
		t.Errorf("once more: %v", err)
	}
}

// TestInitialResponse: on the line if SASL-IR or IMAP4rev2 allows it, never
// elsewhere (RFC 4959 s3).
func TestInitialResponse(t *testing.T) {
	for capabilities, lines := range map[string][]string{
		"IMAP4rev1":         {"<A1 AUTHENTICATE PLAIN", "+ ", "<" + plainMessage, "A1 OK welcome"},
		"IMAP4rev1 SASL-IR": {"<A1 AUTHENTICATE PLAIN " + plainMessage, "A1 OK welcome"},
		"IMAP4rev2":         {"<A1 AUTHENTICATE PLAIN " + plainMessage, "A1 OK welcome"},
	} {
		lines = append([]string{"* OK [CAPABILITY " + capabilities + " AUTH=PLAIN] hi"}, lines...)
		c, err := NewConn(t.Context(), sasltest.Scripted(t, lines...), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Authenticate(t.Context(), plain); err != nil {
			t.Errorf("%s: %v", capabilities, err)
		}
	}
}

// TestStartTLSIsKept: a server that does not switch, and data that somebody
// put behind its answer.
func TestStartTLSIsKept(t *testing.T) {
	for name, lines := range map[string][]string{
		"refused":              {"* OK hi", "<A1 STARTTLS", "A1 NO not here"},
		"unknown":              {"* OK hi", "<A1 STARTTLS", "A1 BAD what"},
		"injection":            {"* OK hi", "<A1 STARTTLS", "A1 OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN"},
		"injection on its own": {"* OK hi", "<A1 STARTTLS", "A1 OK begin", "~", "* CAPABILITY IMAP4rev1 AUTH=PLAIN"},
		"injected OK":          {"* OK hi", "<A1 STARTTLS", "A1 OK begin\r\nA2 OK capability completed"},
	} {
		c, err := NewStartTLS(t.Context(), sasltest.Scripted(t, lines...), "mail.example.org", nil)
		if !errors.Is(err, sasl.ErrSecurity) || c != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNotAuthenticatedAfterFailure: what the server claimed without proof does
// not make the connection, or the client that it is handed to, authenticated.
func TestNotAuthenticatedAfterFailure(t *testing.T) {
	c, err := NewConn(t.Context(), sasltest.Scripted(t, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256] hi", "~", "A1 OK welcome"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	scram := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAM(sasl.SHA256, sasl.Password("user", "pencil"))}, Allow: plain.Allow}
	if _, err := c.Authenticate(t.Context(), scram); !errors.Is(err, sasl.ErrSecurity) {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(t.Context(), scram); errors.Is(err, sasl.ErrConfig) || err == nil {
		t.Errorf("once more: %v", err)
	}
	client := c.Client(nil)
	defer client.Close()
	if err := client.WaitGreeting(); err == nil || client.State() == imap.ConnStateAuthenticated {
		t.Errorf("handed over: %v, %v", client.State(), err)
	}
}

// TestOpenErrors: addresses that are none, nobody there, and a context that
// ends while a server says nothing.
func TestOpenErrors(t *testing.T) {
	for _, address := range []string{"", "mail.example.org", ":993", "mail.example.org:", "a:b:c"} {
		if _, err := DialTLS(t.Context(), address, nil); !errors.Is(err, sasl.ErrConfig) {
			t.Errorf("%q: %v", address, err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	if _, err := DialStartTLS(t.Context(), address, nil); !errors.Is(err, sasl.ErrConnection) {
		t.Errorf("nobody there: %v", err)
	}
	for name, open := range map[string]func(context.Context, net.Conn) error{
		"greeting": func(ctx context.Context, conn net.Conn) error { _, err := NewConn(ctx, conn, "", nil); return err },
		"STARTTLS": func(ctx context.Context, conn net.Conn) error { _, err := NewStartTLS(ctx, conn, "", nil); return err },
		"handshake": func(ctx context.Context, conn net.Conn) error {
			_, err := NewConn(ctx, tls.Client(conn, &tls.Config{ServerName: "x"}), "x", nil)
			return err
		},
		"cut before": func(ctx context.Context, conn net.Conn) error {
			conn.Close()
			_, err := NewConn(ctx, conn, "", nil)
			return err
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		err := open(ctx, sasltest.Scripted(t))
		if !errors.Is(err, sasl.ErrConnection) || name != "cut before" && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}
