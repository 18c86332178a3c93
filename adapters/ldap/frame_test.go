package saslldap

import (
	"errors"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestLengths: X.690 s8.1.3, as far as RFC 4511 s5.1 has it, up to the largest
// message and on machines whose int has 32 bits.
func TestLengths(t *testing.T) {
	for _, row := range []struct {
		b              string
		content, start int
		bad            bool
	}{
		{b: "\x04\x00", content: 0, start: 2},
		{b: "\x04\x7f", content: 127, start: 2},
		{b: "\x04\x81\x80", content: 128, start: 3},
		{b: "\x04\x84\x00\x00\x00\x05", content: 5, start: 6}, // longer than it need be
		{b: "\x04\x82\x01", start: 4},                         // not known yet
		{b: "\x04\x84\x10\x00\x00\x00", content: 256 << 20, start: 6},
		{b: "\x04\x84\x10\x00\x00\x01", bad: true},
		{b: "\x04\x84\x80\x00\x00\x00", bad: true},
		{b: "\x04\x84\xff\xff\xff\xff", bad: true},
		{b: "\x04\x80", bad: true},
		{b: "\x04\x85\x00\x00\x00\x00\x05", bad: true},
	} {
		content, start, err := parseLength([]byte(row.b))
		if row.bad != errors.Is(err, sasl.ErrProtocol) || content != row.content || start != row.start {
			t.Errorf("%q: %d, %d, %v", row.b, content, start, err)
		}
	}
}
