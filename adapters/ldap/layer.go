package saslldap

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	sasl "github.com/saslkit/saslkit/core"
)

// A security layer (RFC 4422 s3.7) makes one stream of the octets of each
// direction, and sends it in buffers:
//
//	length of the buffer, 4 octets in network byte order | protected data
//
// The buffers do not know the LDAP messages: a message may need several buffers,
// and a buffer may contain several messages.
const layerHeader = 4

// maxCollected is how much protected data is collected before it is written.
const maxCollected = 64 << 10

var errBehindOutcome = fmt.Errorf("%w: the server sent data behind its announcement of success in the layer that the bind replaces: somebody may have inserted this data", sasl.ErrSecurity)

// layerReader reads the octets that the server's buffers protect.
type layerReader struct {
	source *bufio.Reader
	layer  sasl.Layer
	buffer bytes.Buffer // protected data; plain may share its memory
	plain  []byte       // what was not read yet
}

func (r *layerReader) Read(p []byte) (int, error) {
	for len(r.plain) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

// next reads a buffer. A length above the maximum is mostly the start of a message
// without protection.
func (r *layerReader) next() error {
	header, err := r.source.Peek(layerHeader)
	if err != nil {
		return err
	}
	size := int64(binary.BigEndian.Uint32(header))
	if size > int64(r.layer.MaxProtected()) {
		return fmt.Errorf("%w: the server sent a buffer of %d octets, and the security layer allows %d: somebody may have inserted data without protection", sasl.ErrSecurity, size, r.layer.MaxProtected())
	}
	r.source.Discard(layerHeader)
	r.buffer.Reset()
	if _, err := io.CopyN(&r.buffer, r.source, size); err != nil { // the memory grows with the data, not with the stated length
		return err
	}
	if r.plain, err = r.layer.Unwrap(r.buffer.Bytes()); err != nil {
		return fmt.Errorf("%w: the security layer does not verify the server's data: %w", sasl.ErrSecurity, err)
	}
	return nil
}

// installLayer puts a layer onto the connection, or leaves the connection as it is
// if layer is nil. The reader waits for resume, and nobody else writes during a
// bind. The octets that are buffered behind the announcement of success belong to the
// layer.
func (m *mux) installLayer(layer sasl.Layer) {
	if layer == nil {
		return
	}
	source := m.reader
	if earlier := m.incoming; earlier != nil {
		if m.reader.Buffered() > 0 || len(earlier.plain) > 0 { // a long buffer is in both
			m.end(errBehindOutcome)
			return
		}
		source = earlier.source
	}
	m.incoming = &layerReader{source: source, layer: layer}
	m.reader = bufio.NewReaderSize(m.incoming, source.Size())
	m.writing.Lock()
	defer m.writing.Unlock()
	m.outgoing = layer
}

// writeProtected writes a message in buffers of the layer. The caller holds
// m.writing.
func (m *mux) writeProtected(b []byte) error {
	var collected []byte
	for len(b) > 0 {
		n := min(len(b), m.outgoing.MaxPlain())
		protected, err := m.outgoing.Wrap(b[:n])
		if err != nil {
			// The server would wait for the rest of the message.
			m.end(fmt.Errorf("%w: the security layer cannot protect a request: make another connection: %w", sasl.ErrConnection, err))
			return m.err()
		}
		collected = binary.BigEndian.AppendUint32(collected, uint32(len(protected)))
		collected = append(collected, protected...)
		if b = b[n:]; len(b) > 0 && len(collected) < maxCollected {
			continue
		}
		if _, err := m.Conn.Write(collected); err != nil {
			return err
		}
		collected = collected[:0]
	}
	return nil
}

// awaitOutcome stops the reader behind an answer to a bind of ours, until it is
// known whether the next octets belong to a layer.
func (m *mux) awaitOutcome() error {
	select {
	case <-m.resumed:
		return nil
	case <-m.dead:
		return m.err()
	}
}

// resume lets the reader go on that waits in awaitOutcome.
func (m *mux) resume() { m.resumed <- struct{}{} }
