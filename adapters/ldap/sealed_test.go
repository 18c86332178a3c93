package saslldap_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	sasl "github.com/saslkit/saslkit/core"
)

// sealed is the server's side of a connection with a layer (RFC 4422 s3.7).
type sealed struct {
	net.Conn
	raw     *bufio.Reader
	layer   sasl.Layer
	plain   []byte
	buffers []int // the sizes of the client's buffers, without the length
}

// InstallLayer is for sasltest.
func (w *wire) InstallLayer(layer sasl.Layer) { w.layer = layer }

// seal puts the layer onto the connection.
func (w *wire) seal() *sealed {
	raw, conn := w.reader, w.conn
	if earlier, ok := conn.(*sealed); ok {
		raw, conn = earlier.raw, earlier.Conn
	}
	s := &sealed{Conn: conn, raw: raw, layer: w.layer}
	w.layer, w.conn, w.reader = nil, s, bufio.NewReader(s)
	return s
}

func (s *sealed) Read(p []byte) (int, error) {
	for len(s.plain) == 0 {
		var length [4]byte
		if _, err := io.ReadFull(s.raw, length[:]); err != nil {
			return 0, err
		}
		size := binary.BigEndian.Uint32(length[:])
		s.buffers = append(s.buffers, int(size))
		if size > uint32(s.layer.MaxProtected()) {
			return 0, fmt.Errorf("a buffer of %d octets", size)
		}
		protected := make([]byte, size)
		if _, err := io.ReadFull(s.raw, protected); err != nil {
			return 0, err
		}
		var err error
		if s.plain, err = s.layer.Unwrap(protected); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.plain)
	s.plain = s.plain[n:]
	return n, nil
}

// Write sends octets in buffers of the largest size.
func (s *sealed) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), s.layer.MaxPlain())
		if _, err := s.Conn.Write(s.wrap(rest[:n])); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(p), nil
}

// wrap returns a buffer with its length.
func (s *sealed) wrap(plain []byte) []byte {
	protected, err := s.layer.Wrap(plain)
	if err != nil {
		panic(err)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(protected))), protected...)
}
