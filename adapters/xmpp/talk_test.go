package saslxmpp_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// talk speaks XMPP by hand.
type talk struct {
	conn   net.Conn
	reader *bufio.Reader
}

func newTalk(conn net.Conn) *talk {
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &talk{conn, bufio.NewReader(conn)}
}

func (c *talk) says(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		t.Fatal(err)
	}
}

// hears returns the peer's octets up to the end of a text.
func (c *talk) hears(t *testing.T, end string) string {
	t.Helper()
	var heard strings.Builder
	for !strings.HasSuffix(heard.String(), end) {
		b, err := c.reader.ReadByte()
		if err != nil {
			t.Fatalf("heard %q: %v", heard.String(), err)
		}
		heard.WriteByte(b)
	}
	return heard.String()
}
