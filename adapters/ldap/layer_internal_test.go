package saslldap

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// openLayer is a layer that protects nothing, but refuses buffers with an "!". It
// wraps as many buffers as it has left.
type openLayer struct{ left int }

func (*openLayer) Strength() sasl.LayerStrength { return sasl.IntegrityLayer }
func (*openLayer) MaxPlain() int                { return 4 }
func (*openLayer) MaxProtected() int            { return 300 }

func (l *openLayer) Wrap(plain []byte) ([]byte, error) {
	if l.left--; l.left < 0 {
		return nil, errors.New("the context has expired")
	}
	return bytes.Clone(plain), nil
}

func (*openLayer) Unwrap(protected []byte) ([]byte, error) {
	if bytes.Contains(protected, []byte("!")) {
		return nil, errors.New("changed")
	}
	return protected, nil
}

// FuzzLayer: what comes out is the content of the valid buffers in front, whatever
// follows and however the octets arrive.
func FuzzLayer(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x03abc\x00\x00\x00\x00\x00\x00\x00\x02de"))
	f.Add([]byte("\x00\x00\x00\x03abc\x00\x00\x00\x04d!ef"))
	f.Add([]byte("\x00\x00\x00\x03abc\x00\x00\x01\x2d"))
	f.Add([]byte("\x00\x00\x01\x2c" + strings.Repeat("x", 300) + "\x00\x00\x00"))
	f.Add([]byte("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var want []byte
		class := sasl.Class("") // the connection ends
		for rest := raw; len(rest) >= 4; {
			size := int64(binary.BigEndian.Uint32(rest))
			if rest = rest[4:]; size > 300 {
				class = sasl.ErrSecurity
				break
			}
			if size > int64(len(rest)) {
				break
			}
			if bytes.Contains(rest[:size], []byte("!")) {
				class = sasl.ErrSecurity
				break
			}
			want, rest = append(want, rest[:size]...), rest[size:]
		}
		for _, source := range []io.Reader{bytes.NewReader(raw), iotest.OneByteReader(bytes.NewReader(raw))} {
			got, err := io.ReadAll(&layerReader{source: bufio.NewReader(source), layer: &openLayer{}})
			if !bytes.Equal(got, want) || sasl.ClassOf(err) != class {
				t.Errorf("%q, %v, want %q, %s", got, err, want, class)
			}
		}
	})
}

// silent is a connection that takes everything.
type silent struct{ net.Conn }

func (silent) Write(b []byte) (int, error) { return len(b), nil }

// TestNoLayerAllocates: without a layer, the mux allocates nothing for a message of
// either direction.
func TestNoLayerAllocates(t *testing.T) {
	message := []byte("\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00")
	m := newMux(silent{})
	if n := testing.AllocsPerRun(100, func() { m.write(message, time.Time{}) }); n > 0 {
		t.Errorf("writing allocates %v times", n)
	}
	source := bytes.NewReader(nil)
	m = newMux(heard{Reader: source})
	p := make([]byte, len(message))
	m.outstanding[1] = false
	if n := testing.AllocsPerRun(100, func() {
		source.Reset(message)
		if k, err := m.Read(p); k != len(message) || err != nil {
			t.Fatal(k, err)
		}
		m.outstanding[1] = false
	}); n > 0 {
		t.Errorf("reading allocates %v times", n)
	}
}

// TestWriteProtected: a message goes out in buffers of the largest size. If the layer
// fails, the connection ends, because the server would wait for the rest.
func TestWriteProtected(t *testing.T) {
	near, far := net.Pipe()
	far.SetDeadline(time.Now().Add(5 * time.Second))
	near.SetWriteDeadline(time.Now().Add(5 * time.Second))
	m := newMux(near)
	m.installLayer(&openLayer{left: 4})
	wrote := make(chan error, 1)
	go func() { wrote <- m.write([]byte("hello world"), time.Time{}) }()
	const want = "\x00\x00\x00\x04hell\x00\x00\x00\x04o wo\x00\x00\x00\x03rld"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(far, got); err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
	go func() { wrote <- m.write([]byte("hello"), time.Time{}) }()
	rest, err := io.ReadAll(far)
	if len(rest) > 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	const cause = "connection error: the security layer cannot protect a request: make another connection: the context has expired"
	if err := <-wrote; err == nil || err.Error() != cause || m.err() != err {
		t.Errorf("%v, %v, want %s", err, m.err(), cause)
	}
}
