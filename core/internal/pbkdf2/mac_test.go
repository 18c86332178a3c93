package pbkdf2

import (
	"bytes"
	"crypto/fips140"
	"crypto/hmac"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// TestMAC has cases of RFC 2202 s3 (SHA-1) and of RFC 4231 s4: a short key, a key of
// one octet's repetition, and a key that is longer than a block. Each is computed
// twice over the same memory.
func TestMAC(t *testing.T) {
	if fips140.Enforced() {
		return // short keys are forbidden
	}
	const long = "Test Using Larger Than Block-Size Key - Hash Key First"
	for _, row := range []struct{ hash, key, message, want string }{
		{"SHA-1", "Jefe", "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
		{"SHA-1", strings.Repeat("\xaa", 80), long, "aa4ae5e15272d00e95705637ce8a3b55ed402112"},
		{"SHA-256", "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"SHA-256", strings.Repeat("\xaa", 20), strings.Repeat("\xdd", 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		{"SHA-256", strings.Repeat("\xaa", 131), long, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		{"SHA-512", strings.Repeat("\xaa", 131), long, "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
	} {
		f := New(hashes[row.hash])
		for range 2 {
			if got := hex.EncodeToString(f.MAC(nil, []byte(row.key), row.message)); got != row.want {
				t.Errorf("%s, key of %d octets: %s", row.hash, len(row.key), got)
			}
		}
	}
}

// TestRelease: memory that waits for its next use has no octet that depends on a
// key.
func TestRelease(t *testing.T) {
	if fips140.Enforced() {
		return
	}
	f := New(hashes["SHA-256"])
	m := f.memory()
	m.begin(m.shorten(bytes.Repeat([]byte("k"), 65)), innerPad)
	m.inner, m.outer, m.after = []byte("inner"), []byte("outer"), []byte("after")[:1]
	f.release(m)
	for _, b := range [][]byte{m.block, m.key, m.inner, m.outer, m.after} {
		if all := b[:cap(b)]; len(bytes.Trim(all, "\x00")) > 0 {
			t.Errorf("%x", all)
		}
	}
	if got, want := m.hash.Sum(nil), hashes["SHA-256"]().Sum(nil); !bytes.Equal(got, want) {
		t.Errorf("the hash is not reset: %x", got)
	}
}

// TestReleaseOfBuffer shows that a hash that waits for its next use has no octet of a
// message in its buffer: the hash of a ClientKey is computed here.
func TestReleaseOfBuffer(t *testing.T) {
	for _, name := range usable() {
		f := New(hashes[name])
		f.Hash(nil, []byte("a key to hide"))
		if text := fmt.Sprint((<-f.idle).hash); strings.Contains(text, strings.Trim(fmt.Sprint([]byte("hide")), "[]")) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// FuzzMAC compares MAC with crypto/hmac.
func FuzzMAC(f *testing.F) {
	f.Add([]byte("Jefe"), "what do ya want for nothing?")
	f.Add(bytes.Repeat([]byte("k"), 145), strings.Repeat("m", 300))
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, key []byte, message string) {
		if fips140.Enforced() {
			return
		}
		for name, h := range hashes {
			prf := hmac.New(h, key)
			prf.Write([]byte(message))
			if got, want := New(h).MAC(nil, key, message), prf.Sum(nil); !bytes.Equal(got, want) {
				t.Errorf("%s: %x, want %x", name, got, want)
			}
		}
	})
}
