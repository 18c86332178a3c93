package pbkdf2

import (
	"crypto/subtle"
	"hash"
)

// The pads of RFC 2104 s2.
const (
	innerPad = 0x36
	outerPad = 0x5c
)

// MAC appends the HMAC of a message (RFC 2104) to b. crypto/hmac makes two hashes for
// each key.
func (f *Function) MAC(b, key []byte, message string) []byte {
	m := f.memory()
	defer f.release(m)
	key = m.shorten(key)
	m.begin(key, innerPad)
	write(m, message)
	inner := m.hash.Sum(m.after[:0])
	m.begin(key, outerPad)
	m.hash.Write(inner)
	m.after = m.hash.Sum(inner[:0])
	return append(b, m.after...) // a copy: b may be on the stack of the caller
}

// Hash appends the hash of a message to b.
func (f *Function) Hash(b, message []byte) []byte {
	m := f.memory()
	defer f.release(m)
	m.hash.Reset()
	write(m, message)
	m.after = m.hash.Sum(m.after[:0])
	return append(b, m.after...)
}

// memory is the memory of one derivation or one MAC.
type memory struct {
	hash         hash.Hash
	block        []byte // of the hash's block size
	key          []byte // the hash of a key that is longer than a block
	inner, outer []byte // states after the padded keys
	after        []byte // the state after a block, or the inner hash
}

func (f *Function) memory() *memory {
	select {
	case m := <-f.idle:
		return m
	default:
		h := f.hash()
		return &memory{hash: h, block: make([]byte, h.BlockSize())}
	}
}

// release clears everything that depends on a key.
func (f *Function) release(m *memory) {
	m.hash.Reset()
	clear(m.block)
	m.hash.Write(m.block[1:]) // over the octets that the hash has buffered; Reset leaves them
	m.hash.Reset()
	for _, b := range [][]byte{m.block, m.key, m.inner, m.outer, m.after} {
		clear(b[:cap(b)])
	}
	select {
	case f.idle <- m:
	default: // enough are idle
	}
}

// write passes a message to the hash in parts, through the block: a hash takes no
// string, and a slice that it takes cannot be on the stack of the caller.
func write[T string | []byte](m *memory, message T) {
	for len(message) > 0 {
		n := copy(m.block, message)
		m.hash.Write(m.block[:n])
		message = message[n:]
	}
}

// shorten returns the key, or its hash if the key is longer than a block.
func (m *memory) shorten(key []byte) []byte {
	if len(key) <= len(m.block) {
		return key
	}
	m.hash.Reset()
	write(m, key)
	m.key = m.hash.Sum(m.key[:0])
	return m.key
}

// begin starts the hash with the padded key.
func (m *memory) begin(key []byte, pad byte) {
	for i := range m.block {
		m.block[i] = pad
	}
	subtle.XORBytes(m.block, m.block, key)
	m.hash.Reset()
	m.hash.Write(m.block)
}
