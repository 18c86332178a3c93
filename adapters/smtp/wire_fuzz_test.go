package saslsmtp

import (
	"bufio"
	"io"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// FuzzReplies reads arbitrary octets as the server's replies: reading terminates
// without a panic, and its errors and outcomes have a class.
func FuzzReplies(f *testing.F) {
	for _, seed := range []string{
		"334 YWJj\r\n235 2.7.0 yes\r\n", "535-5.7.8 no\r\n535 5.7.8 never\r\n", "334\r\n", "421 4.3.2 closing\r\n",
		"500 5.5.6 too long\r\n334 \r\n", "33\r\n", "999 x\r\n", "535 5.7.1234 x\r\n", "250 AUTH=plain LOGIN\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		authKeyword(strings.Split(text, "\n"))
		conn := &protocol{
			reader: bufio.NewReader(strings.NewReader(text)),
			writer: bufio.NewWriter(io.Discard),
			closer: io.NopCloser(nil),
		}
		_, err := conn.Initiate(t.Context(), "PLAIN", []byte("x"))
		for err == nil {
			_, err = conn.Respond(t.Context(), []byte("x"))
		}
		if sasl.ClassOf(err) == "" {
			t.Fatalf("no class: %v", err)
		}
	})
}
