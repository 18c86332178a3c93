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
	conn.SetDeadline(time.Now().Add(8 * time.Second)) // a fault is a failure, not a hang
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

// answering is a client's connection to a server that answers each <iq/>. In the
// answer, ID stands for the ID of the request.
type answering struct {
	net.Conn
	answer string
	ready  []byte
}

func (a *answering) Write(p []byte) (int, error) {
	if _, id, ok := strings.Cut(string(p), "<iq "); ok {
		_, id, _ = strings.Cut(id, "id=\"")
		id, _, _ = strings.Cut(id, "\"")
		a.ready = []byte(strings.ReplaceAll(a.answer, "ID", id))
	}
	return a.Conn.Write(p)
}

func (a *answering) Read(p []byte) (int, error) {
	if n := copy(p, a.ready); n > 0 {
		a.ready = a.ready[n:]
		return n, nil
	}
	return a.Conn.Read(p)
}

// closing is a client's connection to a server that answers the second stream with a
// text, and closes the connection.
type closing struct {
	net.Conn
	says    string
	streams int
}

func (c *closing) Write(p []byte) (int, error) {
	c.streams += strings.Count(string(p), "<stream:stream")
	return c.Conn.Write(p)
}

func (c *closing) Read(p []byte) (int, error) {
	if c.streams < 2 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.says)
	if c.says = c.says[n:]; n > 0 {
		return n, nil
	}
	return 0, io.EOF
}
