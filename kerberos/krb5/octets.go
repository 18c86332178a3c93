package krb5

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

	sasl "github.com/saslkit/saslkit/core"
)

// maxFile limits the size of a file that this package reads, in octets.
const maxFile = 1 << 20

// readFile reads a file up to maxFile. It refuses a pipe, which another user can make in
// /tmp: opening it waits without end. The error says which file it is.
func readFile(kind, path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		return nil, fmt.Errorf("%w: %s %s is a pipe: name a file", sasl.ErrConfig, kind, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", sasl.ErrConfig, kind, err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", sasl.ErrConfig, kind, err)
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("%w: %s %s is over 1 MiB: name a smaller file", sasl.ErrConfig, kind, path)
	}
	return content, nil
}

// octets reads the binary files of Kerberos. After a read beyond the end, every
// further read returns zeros, and failed is set.
type octets struct {
	rest   []byte
	failed bool
}

func (o *octets) take(n uint32) []byte {
	if uint64(n) > uint64(len(o.rest)) {
		o.rest, o.failed = nil, true
		return nil
	}
	taken := o.rest[:n:n]
	o.rest = o.rest[n:]
	return taken
}

func (o *octets) uint8() uint8 {
	if b := o.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (o *octets) uint16() uint16 {
	if b := o.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (o *octets) uint32() uint32 {
	if b := o.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// field16 and field32 read a field with its length in front.
func (o *octets) field16() []byte { return o.take(uint32(o.uint16())) }
func (o *octets) field32() []byte { return o.take(o.uint32()) }
