// Package pbkdf2 derives keys with PBKDF2 and HMAC (RFC 8018 s5.2), for a key of
// the hash's length. That is Hi of RFC 5802 s2.2.
//
// For SHA-1 and SHA-2 it needs two compressions of the hash for an iteration and
// little else: it restores the state of the hash after the padded key, writes one
// whole block, and reads the output from the state. crypto/hmac copies and pads
// more than that. The layout of a state is not documented, so the package compares
// itself with crypto/pbkdf2 before the first use of a hash.
//
// The memory of one derivation serves the next one. Before it waits for the next
// one, the package clears the parts that depend on the password.
package pbkdf2

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/subtle"
	"encoding"
	"encoding/binary"
	"hash"
	"sync"
)

// maxIdle limits the memories that wait for their next use, of about 700 octets each.
const maxIdle = 8

// contextEvery is the number of iterations between two looks at the context: about
// 0.5 ms for the slowest hash.
const contextEvery = 512

// Function is PBKDF2 with one hash. It is safe for concurrent use.
type Function struct {
	hash    func() hash.Hash
	compare sync.Once
	states  bool // the states of the hash have the expected layout
	idle    chan *memory
}

// New returns PBKDF2 with a hash.
func New(hash func() hash.Hash) *Function {
	return &Function{hash: hash, idle: make(chan *memory, maxIdle)}
}

// Key derives a key of the hash's length. Iterations are at least 1. The only error
// is that of the context.
func (f *Function) Key(ctx context.Context, password, salt []byte, iterations int) ([]byte, error) {
	f.compare.Do(func() { f.states = f.layoutIsKnown() })
	if f.states {
		return f.overStates(ctx, password, salt, iterations)
	}
	return f.overHMAC(ctx, password, salt, iterations)
}

// layoutIsKnown compares overStates with crypto/pbkdf2, for keys below and above
// the hash's block.
func (f *Function) layoutIsKnown() bool {
	h := f.hash()
	if _, ok := h.(state); !ok || h.Size()+9 > h.BlockSize() || h.BlockSize() != 64 && h.BlockSize() != 128 {
		return false
	}
	for _, password := range []string{"password", string(bytes.Repeat([]byte("password"), 20))} {
		salt := []byte("sixteen octets and more")
		want, err := pbkdf2.Key(f.hash, password, salt, 3, h.Size())
		got, gotErr := f.overStates(context.Background(), []byte(password), salt, 3)
		if err != nil || gotErr != nil || !bytes.Equal(got, want) {
			return false
		}
	}
	return true
}

// state is a hash whose state can be read and set.
type state interface {
	hash.Hash
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// magic is the number of octets of a state before its chaining words.
const magic = 4

// overStates derives a key over the states of the hash after the two padded keys.
func (f *Function) overStates(ctx context.Context, password, salt []byte, iterations int) ([]byte, error) {
	m := f.memory()
	defer f.release(m)
	h := m.hash.(state)
	size, block := h.Size(), m.block
	key := m.shorten(password)
	var err error
	m.begin(key, innerPad)
	if m.inner, err = h.AppendBinary(m.inner[:0]); err != nil {
		return nil, err
	}
	m.begin(key, outerPad)
	if m.outer, err = h.AppendBinary(m.outer[:0]); err != nil {
		return nil, err
	}
	u := block[:size] // Un stands at the beginning of the block
	h.UnmarshalBinary(m.inner)
	h.Write(salt)
	h.Write(append(block[:0], 0, 0, 0, 1)) // INT(1)
	h.Sum(u[:0])
	h.UnmarshalBinary(m.outer)
	h.Write(u)
	h.Sum(u[:0])
	sum := bytes.Clone(u)
	// The rest of the block is the padding of a message of one block and one hash.
	clear(block[size:])
	block[size] = 0x80
	binary.BigEndian.PutUint64(block[len(block)-8:], uint64(len(block)+size)*8)
	for n := 1; n < iterations; n++ {
		if n%contextEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := m.iterate(h, u); err != nil {
			return nil, err
		}
		subtle.XORBytes(sum, sum, u)
	}
	return sum, nil
}

// iterate replaces Un, at the beginning of the block, by the next one.
func (m *memory) iterate(h state, u []byte) (err error) {
	for _, key := range [2][]byte{m.inner, m.outer} {
		if err = h.UnmarshalBinary(key); err != nil {
			return err
		}
		h.Write(m.block)
		if m.after, err = h.AppendBinary(m.after[:0]); err != nil {
			return err
		}
		copy(u, m.after[magic:])
	}
	return nil
}

// overHMAC derives a key over crypto/hmac, for a hash whose states are not known.
func (f *Function) overHMAC(ctx context.Context, password, salt []byte, iterations int) ([]byte, error) {
	prf := hmac.New(f.hash, password)
	prf.Write(salt)
	prf.Write(binary.BigEndian.AppendUint32(nil, 1)) // INT(1)
	u := prf.Sum(nil)
	sum := bytes.Clone(u)
	for n := 1; n < iterations; n++ {
		if n%contextEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		prf.Reset()
		prf.Write(u)
		u = prf.Sum(u[:0])
		subtle.XORBytes(sum, sum, u)
	}
	return sum, nil
}
