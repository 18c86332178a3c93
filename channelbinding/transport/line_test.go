package transport

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

func TestReadLine(t *testing.T) {
	for _, row := range []struct {
		name, in, want string
		class          sasl.Class
	}{
		{"CRLF", "a b\r\nrest", "a b", ""},
		{"LF", "a b\nrest", "a b", ""},
		{"empty", "\r\n", "", ""},
		{"CR inside", "a\rb\r\r\n", "a\rb\r", ""},
		{"longest", strings.Repeat("a", MaxLine-2) + "\r\n", strings.Repeat("a", MaxLine-2), ""},
		{"too long", strings.Repeat("a", MaxLine) + "\r\n", "", sasl.ErrProtocol},
		{"no end", strings.Repeat("a", 2*MaxLine), "", sasl.ErrProtocol},
		{"cut", "a b", "", sasl.ErrConnection},
		{"nothing", "", "", sasl.ErrConnection},
	} {
		got, err := ReadLine(bufio.NewReader(strings.NewReader(row.in)))
		if got != row.want || sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
			t.Errorf("%s: %.40q, %v", row.name, got, err)
		}
		if row.class == sasl.ErrConnection && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
