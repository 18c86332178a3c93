package sasltest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
)

// reading is a way to divide the octets at the client's end of a connection into
// reads. The behaviour of an adapter must not depend on this division.
type reading int

const (
	asItComes    reading = iota
	octetByOctet         // one octet in a read
	atLineEnds           // a read ends after each CR and after each LF
	randomPieces         // of 1 to 9 octets
	readings             // the number of readings
)

func (r reading) String() string {
	return [...]string{"as it comes", OctetByOctet, AtLineEnds, RandomPieces}[r]
}

// pieces is a connection with divided reads.
type pieces struct {
	net.Conn
	reading reading
	random  *rand.Rand
	rest    []byte // arrived octets that no read has returned
	buffer  []byte
}

// divide returns the connection with divided reads, and a description with which a
// person can repeat a failure.
func (r reading) divide(conn net.Conn, seed uint64) (net.Conn, string) {
	if r == asItComes {
		return conn, r.String()
	}
	description := r.String()
	if r == randomPieces {
		description = fmt.Sprintf("%s, seed %d", r, seed)
	}
	return &pieces{Conn: conn, reading: r, random: rand.New(rand.NewPCG(seed, 0)), buffer: make([]byte, 4096)}, description
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		n, err := p.Conn.Read(p.buffer)
		if n == 0 {
			return 0, err
		}
		p.rest = p.buffer[:n]
	}
	size := min(p.size(), len(p.rest), len(b))
	copy(b, p.rest[:size])
	p.rest = p.rest[size:]
	return size, nil
}

// size returns the largest number of octets for the next read.
func (p *pieces) size() int {
	switch p.reading {
	case atLineEnds:
		if i := slices.IndexFunc(p.rest, func(c byte) bool { return c == '\r' || c == '\n' }); i >= 0 {
			return i + 1
		}
		return len(p.rest)
	case randomPieces:
		return 1 + p.random.IntN(9)
	}
	return 1
}
