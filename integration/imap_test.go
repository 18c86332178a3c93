package integration

import (
	"crypto/tls"
	b64 "encoding/base64"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"
)

// imapConn is IMAP by hand: a witness that owes nothing to the code under test.
type imapConn struct {
	net.Conn
	text     *textproto.Conn
	greeting string
}

// dialByHand connects, through TLS if config is not nil.
func dialByHand(t *testing.T, address string, config *tls.Config) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if config != nil {
		conn = tls.Client(conn, config)
	}
	return conn
}

// dialIMAP connects, through TLS if config is not nil, and reads the greeting.
func dialIMAP(t *testing.T, address string, config *tls.Config) *imapConn {
	t.Helper()
	conn := dialByHand(t, address, config)
	c := &imapConn{Conn: conn, text: textproto.NewConn(conn)}
	c.greeting = c.line(t)
	return c
}

func (c *imapConn) line(t *testing.T) string {
	t.Helper()
	line, err := c.text.ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// command returns what was answered: the untagged lines, and the tagged one without its tag.
func (c *imapConn) command(t *testing.T, command string) (untagged []string, status string) {
	t.Helper()
	if err := c.text.PrintfLine("a %s", command); err != nil {
		t.Fatal(err)
	}
	for {
		line := c.line(t)
		if status, tagged := strings.CutPrefix(line, "a "); tagged {
			return untagged, status
		}
		untagged = append(untagged, line)
	}
}

func (c *imapConn) ok(t *testing.T, command string) (untagged []string) {
	t.Helper()
	untagged, status := c.command(t, command)
	if !strings.HasPrefix(status, "OK ") {
		t.Fatalf("%s: got %q, want OK", command, status)
	}
	return untagged
}

func (c *imapConn) startTLS(t *testing.T, config *tls.Config) {
	t.Helper()
	c.ok(t, "STARTTLS")
	c.Conn = tls.Client(c.Conn, config)
	c.text = textproto.NewConn(c.Conn)
}

func (c *imapConn) capabilities(t *testing.T) []string {
	t.Helper()
	for _, line := range c.ok(t, "CAPABILITY") {
		if list, found := strings.CutPrefix(line, "* CAPABILITY "); found {
			return strings.Fields(list)
		}
	}
	t.Fatal("no capabilities")
	return nil
}

// readMessage reads what only someone who is logged in can.
func (c *imapConn) readMessage(t *testing.T) {
	t.Helper()
	if got := c.ok(t, "SELECT INBOX"); !slices.Contains(got, "* 1 EXISTS") {
		t.Errorf("SELECT: %q", got)
	}
	got := c.ok(t, "FETCH 1 BODY.PEEK[TEXT]")
	want := []string{"* 1 FETCH (BODY[TEXT] {46}", "Only someone who is logged in can read this.", ")"}
	if !slices.Equal(got, want) {
		t.Errorf("FETCH: got %q, want %q", got, want)
	}
}

func base64(s string) string { return b64.StdEncoding.EncodeToString([]byte(s)) }
