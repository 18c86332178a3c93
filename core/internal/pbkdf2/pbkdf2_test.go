package pbkdf2

import (
	"bytes"
	"context"
	"crypto/fips140"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"slices"
	"testing"
)

var hashes = map[string]func() hash.Hash{
	"SHA-1": sha1.New, "SHA-224": sha256.New224, "SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New,
	"SHA3-512": func() hash.Hash { return sha3.New512() },
}

// usable returns the hashes of this process: FIPS 140 forbids SHA-1.
func usable() (names []string) {
	for name := range hashes {
		if name != "SHA-1" || !fips140.Enforced() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestKey has the keys of RFC 6070 s2 (SHA-1) and of RFC 7914 s11 (SHA-256, cut to
// one hash), for both ways.
func TestKey(t *testing.T) {
	for _, row := range []struct {
		hash, password, salt string
		iterations           int
		want                 string
	}{
		{"SHA-1", "password", "salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"},
		{"SHA-1", "password", "salt", 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"},
		{"SHA-1", "password", "salt", 4096, "4b007901b765489abead49d926f721d065a429c1"},
		{"SHA-256", "passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"},
		{"SHA-256", "Password", "NaCl", 80000, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"},
	} {
		if !slices.Contains(usable(), row.hash) || fips140.Enforced() {
			continue // short keys are forbidden too
		}
		f := New(hashes[row.hash])
		for name, derive := range map[string]func(context.Context, []byte, []byte, int) ([]byte, error){
			"Key": f.Key, "over states": f.overStates, "over HMAC": f.overHMAC,
		} {
			got, err := derive(t.Context(), []byte(row.password), []byte(row.salt), row.iterations)
			if err != nil || hex.EncodeToString(got) != row.want {
				t.Errorf("%s, %s, %d iterations: %x, %v", row.hash, name, row.iterations, got, err)
			}
		}
	}
}

// TestLayout: the states of SHA-1 and SHA-2 are used, and those of SHA-3 are not.
func TestLayout(t *testing.T) {
	if fips140.Enforced() {
		t.Log("FIPS 140 allows crypto/pbkdf2 alone")
		return
	}
	for _, name := range usable() {
		f := New(hashes[name])
		if _, err := f.Key(t.Context(), []byte("a"), []byte("b"), 1); err != nil || f.states != (name != "SHA3-512") {
			t.Errorf("%s: over states %t, %v", name, f.states, err)
		}
	}
}

// swapped is a hash whose state has another layout.
type swapped struct{ state }

func (s swapped) AppendBinary(b []byte) ([]byte, error) {
	from := len(b)
	b, err := s.state.AppendBinary(b)
	b[from+magic], b[from+magic+1] = b[from+magic+1], b[from+magic]
	return b, err
}

func (s swapped) UnmarshalBinary(b []byte) error {
	b = bytes.Clone(b)
	b[magic], b[magic+1] = b[magic+1], b[magic]
	return s.state.UnmarshalBinary(b)
}

// TestOtherLayout: a state with another layout gives the right key all the same.
func TestOtherLayout(t *testing.T) {
	if fips140.Enforced() {
		return
	}
	f := New(func() hash.Hash { return swapped{sha256.New().(state)} })
	got, err := f.Key(t.Context(), []byte("passwd"), []byte("salt"), 1)
	if err != nil || f.states || hex.EncodeToString(got) != "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" {
		t.Errorf("%x, over states %t, %v", got, f.states, err)
	}
}

func TestContext(t *testing.T) {
	if fips140.Enforced() {
		return
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range usable() {
		if key, err := New(hashes[name]).Key(ended, []byte("a"), []byte("b"), 1<<20); key != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %x, %v", name, key, err)
		}
	}
}

// FuzzKey compares both ways with crypto/pbkdf2.
func FuzzKey(f *testing.F) {
	f.Add([]byte("password"), []byte("salt"), uint8(3))
	f.Add(bytes.Repeat([]byte("k"), 64), []byte{}, uint8(1))
	f.Add(bytes.Repeat([]byte("k"), 129), bytes.Repeat([]byte("s"), 200), uint8(2))
	f.Add([]byte{}, []byte{0}, uint8(9))
	f.Fuzz(func(t *testing.T, password, salt []byte, iterations uint8) {
		if fips140.Enforced() { // it forbids short keys and SHA-1
			return
		}
		n := int(iterations)%64 + 1
		for name, h := range hashes {
			want, err := pbkdf2.Key(h, string(password), salt, n, h().Size())
			if err != nil {
				t.Fatal(err)
			}
			function := New(h)
			for _, derive := range []func(context.Context, []byte, []byte, int) ([]byte, error){function.Key, function.overHMAC} {
				if got, err := derive(t.Context(), password, salt, n); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %x, %v, want %x", name, got, err, want)
				}
			}
		}
	})
}

// BenchmarkKey compares with crypto/pbkdf2, at 4096 iterations.
func BenchmarkKey(b *testing.B) {
	password, salt := []byte("pencil"), []byte("sixteen octets!!")
	for _, name := range usable() {
		h := hashes[name]
		f := New(h)
		b.Run("hash="+name+"/impl=saslkit", func(b *testing.B) {
			for b.Loop() {
				f.Key(context.Background(), password, salt, 4096)
			}
		})
		b.Run("hash="+name+"/impl=crypto", func(b *testing.B) {
			for b.Loop() {
				pbkdf2.Key(h, string(password), salt, 4096, h().Size())
			}
		})
	}
}
