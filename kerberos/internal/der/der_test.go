package der_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/saslkit/saslkit/kerberos/internal/der"
)

func Example() {
	element := der.Append(nil, 0x04, []byte("token"))
	content, _, ok := der.Read(element, 0x04)
	fmt.Printf("%x %s %v\n", element, content, ok)
	// Output: 0405746f6b656e token true
}

// TestLengths compares the lengths with those of X.690 s8.1.3.
func TestLengths(t *testing.T) {
	for size, want := range map[int]string{
		0: "0400", 127: "047f", 128: "048180", 255: "0481ff", 256: "04820100", 65535: "0482ffff", 65536: "0483010000",
	} {
		element := der.Append(nil, 4, make([]byte, size))
		head := fmt.Sprintf("%x", element[:len(element)-size])
		content, rest, ok := der.Read(append(element, 'x'), 4)
		if head != want || len(content) != size || string(rest) != "x" || !ok {
			t.Errorf("%d octets: %s, %d, %q, %v", size, head, len(content), rest, ok)
		}
	}
	for _, malformed := range []string{"", "\x04", "\x04\x01", "\x04\x80", "\x04\x81", "\x04\x84\x00\x00\x00\x01a", "\x04\xff", "\x05\x00", "\x04\x82\x00"} {
		if _, _, ok := der.Read([]byte(malformed), 4); ok {
			t.Errorf("%x is accepted", malformed)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\x04\x05token"))
	f.Fuzz(func(t *testing.T, b []byte) {
		content, rest, ok := der.Read(b, 4)
		if ok && !bytes.HasSuffix(b, append(append([]byte(nil), content...), rest...)) {
			t.Errorf("%x: %x, %x", b, content, rest)
		}
	})
}
