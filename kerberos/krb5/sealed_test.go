package krb5

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jcmturner/gokrb5/v8/crypto"
	sasl "github.com/saslkit/saslkit/core"
)

// seal makes a sealed token of the acceptor (RFC 4121 s4.2.4): extra octets of filler
// behind the message, and the body rotated to the right.
func (a *acceptor) seal(t testing.TB, flags byte, sequence uint64, extra, rotation int, message string) []byte {
	t.Helper()
	header := []byte{5, 4, flags, 0xff, 0, byte(extra), 0, 0}
	header = binary.BigEndian.AppendUint64(header, sequence)
	plain := append([]byte(message+strings.Repeat("x", extra)), header...)
	algorithm, err := crypto.GetEtype(a.subkey.KeyType)
	if err != nil {
		t.Fatal(err)
	}
	_, body, err := algorithm.EncryptMessage(a.subkey.KeyValue, plain, usageAcceptorSeal)
	if err != nil {
		t.Fatal(err)
	}
	count := rotation % len(body)
	body = append(append([]byte{}, body[len(body)-count:]...), body[:len(body)-count]...)
	binary.BigEndian.PutUint16(header[6:], uint16(rotation))
	return append(header, body...)
}

// TestUnseal reads sealed tokens, with the rotation of MIT's library (0), of Windows
// (28) and others, and refuses changed, repeated and reordered ones.
func TestUnseal(t *testing.T) {
	c, a := established(t)
	sequence := uint64(7)
	for _, rotation := range []int{0, 28, 12, 1, 60, 255} {
		for _, extra := range []int{0, 13} {
			message, sealed, err := c.Unwrap(a.seal(t, 7, sequence, extra, rotation, "answer"))
			if string(message) != "answer" || !sealed || err != nil {
				t.Errorf("rotated by %d, with %d extra octets: %q, %v, %v", rotation, extra, message, sealed, err)
			}
			sequence++
		}
	}
	for name, token := range map[string][]byte{
		"repeated":              a.seal(t, 7, sequence-1, 0, 28, "answer"),
		"one is missing":        a.seal(t, 7, sequence+1, 0, 28, "answer"),
		"of an initiator":       a.seal(t, 6, sequence, 0, 28, "answer"),
		"without the subkey":    a.seal(t, 3, sequence, 0, 28, "answer"),
		"too many extra octets": append(a.seal(t, 7, sequence, 0, 0, "answer")[:4:4], append([]byte{0, 60}, a.seal(t, 7, sequence, 0, 0, "answer")[6:]...)...),
	} {
		if message, _, err := c.Unwrap(token); !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("%s: %q, %v", name, message, err)
		}
	}
	good := a.seal(t, 7, sequence, 0, 28, "answer")
	for i := range good {
		changed := append([]byte(nil), good...)
		changed[i] ^= 0x10
		if message, _, err := c.Unwrap(changed); !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("octet %d is changed: %q, %v", i, message, err)
		}
		if message, _, err := c.Unwrap(good[:i]); !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("%d octets: %q, %v", i, message, err)
		}
	}
	if message, _, err := c.Unwrap(good); string(message) != "answer" || err != nil {
		t.Errorf("after that: %q, %v", message, err)
	}
}

// TestSeal: a sealed token has the header of RFC 4121 s4.2.6.2 with EC and RRC 0, hides
// the message, and is as long as WrapLimit says.
func TestSeal(t *testing.T) {
	c, a := established(t)
	number := uint64(a.request.SeqNumber)
	for range 2 {
		token, err := c.Wrap([]byte("a request"), true)
		if err != nil {
			t.Fatal(err)
		}
		want := "050406ff00000000" + hex.EncodeToString(binary.BigEndian.AppendUint64(nil, number))
		if got := hex.EncodeToString(token[:headerSize]); got != want {
			t.Errorf("the header is %s, want %s", got, want)
		}
		algorithm, _ := crypto.GetEtype(a.subkey.KeyType)
		plain, err := algorithm.DecryptMessage(a.subkey.KeyValue, token[headerSize:], usageInitiatorSeal)
		if err != nil || string(plain) != "a request"+string(token[:headerSize]) {
			t.Errorf("%q, %v", plain, err)
		}
		if limit := c.WrapLimit(len(token), true); limit != len("a request") || len(token) != len("a request")+60 {
			t.Errorf("%d octets have room for %d", len(token), limit)
		}
		number++
	}
}

// TestBothDirections: one goroutine wraps while another unwraps.
func TestBothDirections(t *testing.T) {
	c, a := established(t)
	var group sync.WaitGroup
	group.Go(func() {
		for range 50 {
			if _, err := c.Wrap([]byte("a request"), true); err != nil {
				t.Error(err)
			}
		}
	})
	group.Go(func() {
		for i := range uint64(50) {
			if message, _, err := c.Unwrap(a.seal(t, 7, 7+i, 0, 28, "answer")); string(message) != "answer" {
				t.Error(err)
			}
		}
	})
	group.Wait()
}
