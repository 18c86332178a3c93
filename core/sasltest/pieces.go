package sasltest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
)

// reading is how the client's end of a connection gives out what has arrived.
// What an adapter does must not depend on how the octets are cut into reads.
type reading int

const (
	asItComes    reading = iota
	octetByOctet         // one octet a read
	atLineEnds           // a read ends after each CR and after each LF
	randomPieces         // of 1 to 9 octets
	readings             // how many there are
)

func (r reading) String() string {
	return [...]string{"as it comes", OctetByOctet, AtLineEnds, RandomPieces}[r]
}

// pieces is a connection whose reads are cut.
type pieces struct {
	net.Conn
	reading reading
	random  *rand.Rand
	rest    []byte // arrived and not given out
	buffer  []byte
}

// cut returns the connection with its reads cut, and a description with which a
// failure can be repeated.
func (r reading) cut(conn net.Conn, seed uint64) (net.Conn, string) {
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

// size is how many octets the next read gives out at most.
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
