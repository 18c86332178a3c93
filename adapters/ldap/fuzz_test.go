package saslldap

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/iotest"

	ber "github.com/go-asn1-ber/asn1-ber"

	sasl "github.com/saslkit/saslkit/core"
)

// heard is a connection whose server has sent everything already.
type heard struct {
	net.Conn
	io.Reader
}

func (h heard) Read(b []byte) (int, error) { return h.Reader.Read(b) }

// fuzzSeeds are messages of OpenLDAP, and invalid messages.
var fuzzSeeds = []string{
	"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
	"\x30\x10\x02\x04\x40\x00\x00\x00\x61\x08\x0a\x01\x0e\x04\x00\x04\x00\x87\x01r",
	"\x30\x84\x00\x00\x00\x10\x02\x01\x02\x65\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00",
	"\x30\x1d\x02\x01\x02\x64\x18\x04\x00\x30\x14\x30\x12\x04\x0bobjectClass\x31\x03\x04\x01x",
	"\x30\x24\x02\x01\x00\x78\x1f\x0a\x01\x34\x04\x00\x04\x00\x8a\x161.3.6.1.4.1.1466.20036",
	"\x30\x84\x80\x00\x00\x00\x02\x04\x40\x00\x00\x00\x61",
	"\x30\x80\x02\x04\x40\x00\x00\x00\x61\x80\x00\x00\x00\x00",
	"\x30\x11\x02\x04\x40\x00\x00\x00\x61\x80\x0a\x01\x0e\x04\x00\x04\x00\x00\x00",
	"\x30\x0c\x02\x01\xff\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
	"* OK hello\r\n",
}

// FuzzFrames reads any octets as a server's messages: reading ends without a panic,
// each error has a class, the library gets the octets unchanged, and the messages
// begin at the same places as in another implementation.
func FuzzFrames(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
		f.Add([]byte(fuzzSeeds[0] + seed + fuzzSeeds[2]))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		m := newMux(heard{Reader: bytes.NewReader(stream)})
		expected := awaited(stream, m)
		read, err := io.ReadAll(m)
		inPieces := newMux(heard{Reader: iotest.OneByteReader(bytes.NewReader(stream))})
		awaited(stream, inPieces)
		again, err2 := io.ReadAll(iotest.OneByteReader(inPieces))
		if !bytes.HasPrefix(again, read) || (err == nil) != (err2 == nil) {
			t.Fatalf("in pieces %q, %v, not %q, %v", again, err2, read, err)
		}
		if err != nil && sasl.ClassOf(err) == "" {
			t.Fatalf("no class: %v", err)
		}
		if !bytes.HasPrefix(withoutNotifications(expected), withoutNotifications(read)) {
			t.Fatal("the library has got other octets")
		}
		for {
			h, need, err := parseHeader(read)
			if err != nil || need != 0 || h.total > len(read) {
				break
			}
			rest := bytes.NewReader(read[:h.total])
			packet, err := ber.ReadPacket(rest)
			if err == nil && (rest.Len() > 0 || len(packet.Children) < 2 || packet.Children[0].Value != h.id) {
				t.Fatalf("%+v is another message to asn1-ber", h)
			}
			if !isWhole(read[:h.total]) {
				t.Fatalf("%q is not whole, but the library has got it", read[:h.total])
			}
			read = read[h.total:]
		}
	})
}

// withoutNotifications drops the messages with the ID 0. The library does not get an
// invalid one.
func withoutNotifications(stream []byte) (rest []byte) {
	for {
		h, need, err := parseHeader(stream)
		if err != nil || need != 0 || h.total > len(stream) {
			return append(rest, stream...)
		}
		if h.id != 0 {
			rest = append(rest, stream[:h.total]...)
		}
		stream = stream[h.total:]
	}
}

// awaited makes the library wait for every message of a stream, and returns what the
// library has to get: the messages up to the last one to each request.
func awaited(stream []byte, m *mux) (expected []byte) {
	over := map[int64]bool{}
	for {
		h, need, err := parseHeader(stream)
		if err != nil || need != 0 {
			return append(expected, stream...)
		}
		end := min(h.total, len(stream))
		m.outstanding[h.id] = false
		if !over[h.id] {
			expected = append(expected, stream[:end]...)
		}
		over[h.id] = h.id != 0 && (over[h.id] || h.final())
		stream = stream[end:]
	}
}

// FuzzBindResponse reads any octets as the answer to a bind: there is no panic,
// each error has a class, and a result that is encoded again is read as the same
// result.
func FuzzBindResponse(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, need, err := parseHeader(b)
		if err != nil || need != 0 || h.total != len(b) {
			return
		}
		r, err := decodeResult(frame{header: h, bytes: b}, bindResponse)
		if err != nil {
			if sasl.ClassOf(err) == "" {
				t.Fatalf("no class: %v", err)
			}
			return
		}
		if err := r.disconnection(); err != nil && (sasl.ClassOf(err) == "" || err.Error() == "") {
			t.Fatalf("as a notice: %v", err)
		}
		again := encodeResponse(r)
		h, _, _ = parseHeader(again)
		r2, err := decodeResult(frame{header: h, bytes: again}, bindResponse)
		if err != nil || r2.code != r.code || r2.text != r.text || !bytes.Equal(r2.credentials, r.credentials) || (r2.credentials == nil) != (r.credentials == nil) {
			t.Fatalf("%+v, again %+v, %v", r, r2, err)
		}
	})
}

func encodeResponse(r result) []byte {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 1, nil, "")
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(r.code), ""))
	op.AppendChild(octets(""))
	op.AppendChild(octets(r.text))
	if r.credentials != nil {
		op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 7, string(r.credentials), ""))
	}
	return encodeMessage(firstID, op)
}
