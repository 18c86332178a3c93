package krb5

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/jcmturner/gokrb5/v8/crypto"
	sasl "github.com/saslkit/saslkit/core"
)

// TestSealer compares encryption with the library's, in both directions, for every
// type of key and every size of the last block.
func TestSealer(t *testing.T) {
	for _, id := range allKeyTypes {
		k := newKey(id, bytes.Repeat([]byte{7}, keySize(id)))
		s, err := k.newSealer(usageAcceptorSeal)
		if err != nil {
			t.Fatal(err)
		}
		algorithm, err := crypto.GetEtype(id)
		if err != nil {
			t.Fatal(err)
		}
		for size := blockSize; size < 5*blockSize; size++ {
			message := bytes.Repeat([]byte{byte(size)}, size)
			_, theirs, err := algorithm.EncryptMessage(k.octets(), message, usageAcceptorSeal)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.open(theirs); !bytes.Equal(got, message) {
				t.Errorf("type %d, %d octets: opened %x", id, size, got)
			}
			ours := s.seal([]byte("front"), message[:3], message[3:])
			if got, err := algorithm.DecryptMessage(k.octets(), ours[5:], usageAcceptorSeal); !bytes.Equal(got, message) || err != nil {
				t.Errorf("type %d, %d octets: the library reads %x, %v", id, size, got, err)
			}
			for i := range theirs {
				changed := bytes.Clone(theirs)
				changed[i] ^= 1
				if s.open(changed) != nil {
					t.Errorf("type %d, %d octets: a change at %d is accepted", id, size, i)
				}
			}
			if s.open(theirs[:len(theirs)-1]) != nil || s.open(theirs[:min(len(theirs), s.macSize+2*blockSize-1)]) != nil {
				t.Errorf("type %d, %d octets: a truncated message is accepted", id, size)
			}
		}
	}
}

// TestExtraOctets: the number of extra octets in the header, which says where the
// message ends, is protected by its copy below the encryption.
func TestExtraOctets(t *testing.T) {
	c, a := established(t)
	token := a.seal(t, 7, 7, 0, 0, "transfer 1000 to bob, and not to carol")
	token[5] = 17
	if message, _, err := c.Unwrap(token); !errors.Is(err, sasl.ErrSecurity) {
		t.Errorf("%q, %v", message, err)
	}
}

// TestWrapLimit: the stated limit fits exactly, for every type of key.
func TestWrapLimit(t *testing.T) {
	for _, id := range allKeyTypes {
		c, _ := established(t)
		c.key = newKey(id, bytes.Repeat([]byte{7}, keySize(id)))
		c.sealer, _ = c.key.newSealer(usageInitiatorSeal)
		for _, seal := range []bool{false, true} {
			limit := c.WrapLimit(1000, seal)
			token, err := c.Wrap(make([]byte, limit), seal)
			if len(token) != 1000 || err != nil {
				t.Errorf("type %d, sealed %v: %d octets make %d, %v", id, seal, limit, len(token), err)
			}
		}
		if got := c.WrapLimit(20, true); got != 0 {
			t.Errorf("type %d: a limit of %d", id, got)
		}
	}
}

func BenchmarkUnwrap(b *testing.B) {
	for _, id := range allKeyTypes {
		k := newKey(id, bytes.Repeat([]byte{7}, keySize(id)))
		s, _ := k.newSealer(usageAcceptorSeal)
		sealed := s.seal(nil, make([]byte, 60000))
		b.Run(fmt.Sprintf("type=%d", id), func(b *testing.B) {
			b.SetBytes(60000)
			b.ReportAllocs()
			for b.Loop() {
				s.open(sealed)
			}
		})
	}
}
