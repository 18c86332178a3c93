package integration

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"testing"
)

// smtpConn is SMTP by hand: a witness that owes nothing to the code under test.
type smtpConn struct {
	net.Conn
	text *textproto.Conn
	ehlo []string // what the server has said to the last EHLO, without codes
}

// dialSMTP connects, through TLS if config is not nil, and says EHLO.
func dialSMTP(t *testing.T, address string, config *tls.Config) *smtpConn {
	t.Helper()
	conn := dialByHand(t, address, config)
	c := &smtpConn{Conn: conn, text: textproto.NewConn(conn)}
	if _, _, err := c.text.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	c.hello(t)
	return c
}

func (c *smtpConn) hello(t *testing.T) {
	t.Helper()
	reply := c.ok(t, 250, "EHLO client.test")
	c.ehlo = strings.Split(reply, "\n")
}

// command returns the reply, "535 5.7.8 …"; what has several lines has them without codes.
func (c *smtpConn) command(t *testing.T, command string) string {
	t.Helper()
	if err := c.text.PrintfLine("%s", command); err != nil {
		t.Fatal(err)
	}
	code, message, err := c.text.ReadResponse(0)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", code, message)
}

// ok returns the reply without its code.
func (c *smtpConn) ok(t *testing.T, code int, command string) string {
	t.Helper()
	reply := c.command(t, command)
	message, ok := strings.CutPrefix(reply, fmt.Sprintf("%d ", code))
	if !ok {
		t.Fatalf("%s: got %q, want %d", command, reply, code)
	}
	return message
}

func (c *smtpConn) startTLS(t *testing.T, config *tls.Config) {
	t.Helper()
	c.ok(t, 220, "STARTTLS")
	c.Conn = tls.Client(c.Conn, config)
	c.text = textproto.NewConn(c.Conn)
	c.hello(t)
}

// checkAuth compares what the last EHLO said about security.
func (c *smtpConn) checkAuth(t *testing.T, want ...string) {
	t.Helper()
	got := slices.DeleteFunc(slices.Clone(c.ehlo), func(line string) bool {
		return !strings.HasPrefix(line, "AUTH") && line != "STARTTLS"
	})
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// submit sends mail; only someone who is logged in can.
func (c *smtpConn) submit(t *testing.T, recipient, subject string) {
	t.Helper()
	c.ok(t, 250, "MAIL FROM:<sender@client.test>")
	c.ok(t, 250, "RCPT TO:<"+recipient+">")
	c.ok(t, 354, "DATA")
	c.ok(t, 250, "Subject: "+subject+"\r\n\r\nSubmitted.\r\n.")
}
