package saslldap

import (
	"bufio"
	"bytes"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// FuzzFrame: a header is found or refused, whole or octet by octet, and never
// reaches past its message.
func FuzzFrame(f *testing.F) {
	for _, seed := range []string{
		"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00", "\x30\x84\x7f\xff\xff\xff\x02\x01\x01\x64",
		"\x30\x80\x02\x01\x01\x64", "\x30\x81\x0c\x02\x04\x40\x00\x00\x00\x61", "\x30\x00", "HTTP/1.1",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := peekHeader(bufio.NewReader(bytes.NewReader(b)))
		slow, slowErr := peekHeader(bufio.NewReader(&octetwise{b}))
		if h != slow || (err == nil) != (slowErr == nil) {
			t.Fatalf("%+v, %v at once, %+v, %v octet by octet", h, err, slow, slowErr)
		}
		if err == nil && (h.size > maxHeader || h.frame < h.size || h.frame > maxFrame+6 || h.id < 0) {
			t.Fatalf("%+v", h)
		}
	})
}

type octetwise struct{ rest []byte }

func (r *octetwise) Read(p []byte) (int, error) {
	if len(r.rest) == 0 || len(p) == 0 {
		return bytes.NewReader(nil).Read(p)
	}
	p[0], r.rest = r.rest[0], r.rest[1:]
	return 1, nil
}

// FuzzBindResponse: whatever is no BindResponse is an ErrProtocol.
func FuzzBindResponse(f *testing.F) {
	for _, seed := range []string{
		"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00", "\x30\x0f\x02\x01\x01\x61\x0a\x0a\x01\x0e\x04\x00\x04\x00\x87\x01a",
		"\x30\x0e\x02\x01\x01\x61\x09\x0a\x01\x31\x04\x00\x04\x02no",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, need, err := parseHeader(b)
		if err != nil || need != 0 || h.frame != len(b) {
			return
		}
		r, err := decodeResult(frame{header: h, bytes: b}, bindResponse)
		switch {
		case err != nil && sasl.ClassOf(err) != sasl.ErrProtocol:
			t.Fatal(err)
		case err == nil && (r.code == 0) != (r.library == nil):
			t.Fatalf("%+v", r)
		case err == nil && len(r.credentials) > len(b):
			t.Fatalf("%+v", r)
		}
	})
}
