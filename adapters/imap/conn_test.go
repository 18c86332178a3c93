package saslimap

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"go.uber.org/goleak"

	sasl "github.com/saslkit/saslkit/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var plain = &sasl.Client{
	Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("tim", "tanstaaftanstaaf"))},
	Allow:      func(sasl.Candidate) error { return nil },
}

// plainMessage is the base64 of RFC 4616's example.
const plainMessage = "AHRpbQB0YW5zdGFhZnRhbnN0YWFm"

// TestLoginDisabled: the error names the server's demand.
func TestLoginDisabled(t *testing.T) {
	c, err := NewConn(t.Context(), prompt(t, "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi"), "", nil)
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
	c, err := NewConn(t.Context(), prompt(t,
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
	if want := []string{"Your disk is full", "(withheld: it repeats a secret)"}; !slices.Equal(c.Alerts(), want) {
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
		c, err := NewConn(t.Context(), prompt(t, lines...), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Authenticate(t.Context(), plain); err != nil {
			t.Errorf("%s: %v", capabilities, err)
		}
	}
}

// TestNotAuthenticatedAfterFailure: a server's claim without proof makes neither
// the connection nor the client that takes it over authenticated.
func TestNotAuthenticatedAfterFailure(t *testing.T) {
	c, err := NewConn(t.Context(), prompt(t, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256] hi", "~", "A1 OK welcome"), "", nil)
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

// unfinished is a connection whose TLS state is not known.
type unfinished struct{ *closing }

func (unfinished) ConnectionState() tls.ConnectionState { return tls.ConnectionState{} }

// TestUnknownTLSState: nothing is believed of a connection that claims TLS and has
// no state of it, and it is closed.
func TestUnknownTLSState(t *testing.T) {
	conn := &closing{Conn: prompt(t, listsSASLIR)}
	if c, err := NewConn(t.Context(), unfinished{conn}, host, nil); sasl.ClassOf(err) != sasl.ErrConfig || c != nil || !conn.closed.Load() {
		t.Errorf("%v, closed: %t", err, conn.closed.Load())
	}
}

// mute is a connection that cannot be written to.
type mute struct{ net.Conn }

var errMute = errors.New("nothing goes out")

func (mute) Write([]byte) (int, error) { return 0, errMute }

// TestMute: a line that does not go out gets no answer, and nobody waits for one.
func TestMute(t *testing.T) {
	if _, err := NewConn(soon(t), mute{prompt(t, "* OK hi")}, "", nil); sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, errMute) {
		t.Error(err)
	}
}

// TestClosedAfterAnError: a connection on which a step failed is closed.
func TestClosedAfterAnError(t *testing.T) {
	for name, lines := range map[string][]string{"greeting": {"220 hi"}, "CAPABILITY": {"* OK hi", "<A1 CAPABILITY", "A1 BAD what"}} {
		conn := &closing{Conn: prompt(t, lines...)}
		if _, err := NewConn(soon(t), conn, "", nil); sasl.ClassOf(err) != sasl.ErrProtocol || !conn.closed.Load() {
			t.Errorf("%s: %v, closed: %t", name, err, conn.closed.Load())
		}
	}
}

// TestInvalidAddress: the name to verify comes from the address, also if the
// connection goes elsewhere. Without it nothing is dialled.
func TestInvalidAddress(t *testing.T) {
	options := &Options{Address: "127.0.0.1:993", DialContext: func(context.Context, string, string) (net.Conn, error) {
		t.Error("dialled")
		return nil, errMute
	}}
	for _, address := range []string{"mail.example.org", ":993", ""} {
		if _, err := DialTLS(soon(t), address, options); sasl.ClassOf(err) != sasl.ErrConfig {
			t.Errorf("%q: %v", address, err)
		}
	}
}
