package saslimap

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// prompt is sasltest.Scripted with a deadline: a client that waits for an answer
// to a message too many fails soon.
func prompt(t *testing.T, lines ...string) net.Conn {
	t.Helper()
	conn := sasltest.Scripted(t, lines...)
	conn.SetDeadline(time.Now().Add(8 * time.Second))
	return conn
}

// soon returns a context that ends a call that hangs.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

const listsSASLIR = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi"

// TestUnread: a server that lists SASL-IR and does not understand the command
// with an initial response gets the message once more, when it asks for it. The
// server has read a message that it refuses with NO.
func TestUnread(t *testing.T) {
	for name, row := range map[string]struct {
		lines []string
		class sasl.Class // "" = success
		next  string     // the tag of the attempt that follows: nothing was sent in between
	}{
		"BAD":                 {[]string{"A1 BAD syntax error", "<A2 AUTHENTICATE PLAIN", "+ ", "<" + plainMessage, "A2 OK welcome"}, "", ""},
		"BAD, then NO":        {[]string{"A1 BAD syntax error", "<A2 AUTHENTICATE PLAIN", "+ ", "<" + plainMessage, "A2 NO wrong"}, sasl.ErrAuthentication, "A3"},
		"BAD twice":           {[]string{"A1 BAD syntax error", "<A2 AUTHENTICATE PLAIN", "A2 BAD syntax error"}, sasl.ErrProtocol, "A3"},
		"NO":                  {[]string{"A1 NO wrong"}, sasl.ErrAuthentication, "A2"},
		"BAD of nobody, NO":   {[]string{"* BAD hm", "A1 NO wrong"}, sasl.ErrAuthentication, "A2"},
		"NO, of the client":   {[]string{"A1 NO [CLIENTBUG] wrong"}, sasl.ErrProtocol, "A2"},
		"success at once":     {[]string{"A1 BAD syntax error", "<A2 AUTHENTICATE PLAIN", "A2 OK welcome"}, sasl.ErrSecurity, ""},
		"another challenge":   {[]string{"A1 BAD syntax error", "<A2 AUTHENTICATE PLAIN", "+ YWJj", "<*", "A2 BAD cancelled"}, sasl.ErrProtocol, "A3"},
		"asked for once more": {[]string{"A1 BAD syntax error", "<A2 AUTHENTICATE PLAIN", "+ ", "<" + plainMessage, "+ ", "<*", "A2 BAD cancelled"}, sasl.ErrProtocol, "A3"},
	} {
		t.Run(name, func(t *testing.T) {
			lines := append([]string{listsSASLIR, "<A1 AUTHENTICATE PLAIN " + plainMessage}, row.lines...)
			if row.next != "" {
				lines = append(lines, "<"+row.next+" AUTHENTICATE PLAIN "+plainMessage, row.next+" OK welcome")
			}
			c, err := NewConn(t.Context(), prompt(t, lines...), "", nil)
			if err != nil {
				t.Fatal(err)
			}
			result, err := c.Authenticate(t.Context(), plain)
			if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") || result.Mechanism != "PLAIN" {
				t.Errorf("%+v, %v, want class %q", result, err, row.class)
			}
			if row.next == "" {
				return
			}
			if _, err := c.Authenticate(t.Context(), plain); err != nil {
				t.Errorf("the next attempt: %v", err)
			}
		})
	}
}

// TestUnreadIsOfTheFirstAnswer: only an answer to a command with the message in
// it says that the message was not read.
func TestUnreadIsOfTheFirstAnswer(t *testing.T) {
	for name, row := range map[string]struct {
		capabilities string
		initial      []byte
		lines        []string
		unread       bool
	}{
		"inline":       {"SASL-IR ", []byte("i"), []string{"<A1 AUTHENTICATE X aQ==", "A1 BAD what"}, true},
		"inline empty": {"SASL-IR ", []byte{}, []string{"<A1 AUTHENTICATE X =", "A1 BAD what"}, true},
		"inline, NO":   {"SASL-IR ", []byte("i"), []string{"<A1 AUTHENTICATE X aQ==", "A1 NO what"}, false},
		"none":         {"SASL-IR ", nil, []string{"<A1 AUTHENTICATE X", "A1 BAD what"}, false},
		"deferred":     {"", []byte("i"), []string{"<A1 AUTHENTICATE X", "A1 BAD what"}, false},
		"asked for":    {"", []byte("i"), []string{"<A1 AUTHENTICATE X", "+ ", "<aQ==", "A1 BAD what"}, false},
	} {
		lines := append([]string{"* OK [CAPABILITY IMAP4rev1 " + row.capabilities + "AUTH=X] hi"}, row.lines...)
		c, err := NewConn(t.Context(), prompt(t, lines...), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = protocol{c}.Initiate(t.Context(), "X", row.initial)
		var refused *sasl.Failure
		if !errors.As(err, &refused) || refused.Unread != row.unread {
			t.Errorf("%s: %+v, want unread: %t", name, refused, row.unread)
		}
	}
}

// TestAskedForAgain: a server that asks with an empty challenge for a message that
// it was sent on the line gets it once more, and only once.
func TestAskedForAgain(t *testing.T) {
	for name, row := range map[string]struct {
		lines []string
		class sasl.Class // "" = success
	}{
		"once":              {[]string{"+ ", "<" + plainMessage, "A1 OK welcome"}, ""},
		"twice":             {[]string{"+ ", "<" + plainMessage, "+ ", "<*", "A1 BAD cancelled"}, sasl.ErrProtocol},
		"another challenge": {[]string{"+ YWJj", "<*", "A1 BAD cancelled"}, sasl.ErrProtocol},
	} {
		lines := append([]string{listsSASLIR, "<A1 AUTHENTICATE PLAIN " + plainMessage}, row.lines...)
		c, err := NewConn(t.Context(), prompt(t, lines...), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Authenticate(t.Context(), plain); sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
			t.Errorf("%s: %v, want class %q", name, err, row.class)
		}
	}
}

// TestAskedForAgainWithoutSASLIR: a message that went out because the server asked
// for it does not go out again.
func TestAskedForAgainWithoutSASLIR(t *testing.T) {
	c, err := NewConn(t.Context(), prompt(t, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi",
		"<A1 AUTHENTICATE PLAIN", "+ ", "<"+plainMessage, "+ ", "<*", "A1 BAD cancelled",
		"<A2 AUTHENTICATE PLAIN", "+ ", "<"+plainMessage, "A2 OK welcome"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(t.Context(), plain); sasl.ClassOf(err) != sasl.ErrProtocol {
		t.Error(err)
	}
	if _, err := c.Authenticate(t.Context(), plain); err != nil {
		t.Errorf("the next attempt: %v", err)
	}
}

// TestExistingAskedForAgain: the library hands on an empty challenge only if it
// is written as "=".
func TestExistingAskedForAgain(t *testing.T) {
	external := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.External("")}}
	for name, row := range map[string]struct {
		client *sasl.Client
		equals bool
		lines  []string
		class  sasl.Class // "" = success
	}{
		"once":                  {plain, false, []string{"<T2 AUTHENTICATE PLAIN " + plainMessage, "+ =", "<" + plainMessage, "T2 OK [CAPABILITY IMAP4rev1] welcome"}, ""},
		"twice":                 {plain, false, []string{"<T2 AUTHENTICATE PLAIN " + plainMessage, "+ =", "<" + plainMessage, "+ ="}, sasl.ErrProtocol},
		"empty, with =":         {external, true, []string{"<T2 AUTHENTICATE EXTERNAL =", "+ =", "<=", "T2 OK [CAPABILITY IMAP4rev1] welcome"}, ""},
		"empty, and = is not =": {external, false, []string{"<T2 AUTHENTICATE EXTERNAL =", "+ ="}, sasl.ErrProtocol},
	} {
		lines := append([]string{"* OK [CAPABILITY IMAP4rev1] hi", "<T1 CAPABILITY",
			"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=EXTERNAL", "T1 OK done"}, row.lines...)
		client := imapclient.New(prompt(t, lines...), nil)
		_, err := Authenticate(soon(t), client, row.client, Existing{Secure: true, EqualsSign: row.equals})
		if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
			t.Errorf("%s: %v, want class %q", name, err, row.class)
		}
		client.Close()
	}
}

// TestAlertAfterUnread: a message that was sent before stays secret after a command
// without one.
func TestAlertAfterUnread(t *testing.T) {
	c, err := NewConn(t.Context(), prompt(t, listsSASLIR,
		"<A1 AUTHENTICATE PLAIN "+plainMessage, "A1 BAD syntax error",
		"<A2 AUTHENTICATE PLAIN", "* OK [ALERT] I do not understand "+plainMessage[:20], "A2 NO [ALERT] Gone"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(t.Context(), plain); !errors.Is(err, sasl.ErrAuthentication) {
		t.Error(err)
	}
	if want := []string{"(withheld: it repeats a secret)"}; !slices.Equal(c.Alerts(), want) {
		t.Errorf("alerts %q, want %q", c.Alerts(), want)
	}
}

// TestEnforcesBinding: the caller's assertion is in the ServerInfo, and nothing
// else is.
func TestEnforcesBinding(t *testing.T) {
	for _, asserted := range []bool{true, false} {
		c, err := NewConn(t.Context(), prompt(t, listsSASLIR), "", &Options{EnforcesBinding: asserted})
		if err != nil {
			t.Fatal(err)
		}
		if info := c.ServerInfo(); info.EnforcesBinding != asserted || info.Secure || info.ProfileBinding != "" {
			t.Errorf("Conn, %t: %+v", asserted, info)
		}
		client := imapclient.New(prompt(t, listsSASLIR), nil)
		info, err := Existing{EnforcesBinding: asserted}.serverInfo(soon(t), client)
		if err != nil || info.EnforcesBinding != asserted || info.Secure || info.ProfileBinding != "" {
			t.Errorf("Existing, %t: %+v, %v", asserted, info, err)
		}
		client.Close()
	}
}
