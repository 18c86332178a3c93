package saslxmpp

import (
	"encoding/xml"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// flood is a connection whose peer never stops sending.
type flood struct{ net.Conn }

func (flood) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '<'
	}
	return len(p), nil
}

// readUntil reads until there is an error, but not for ever.
func readUntil(r io.Reader) (all int64, err error) {
	p := make([]byte, 32<<10)
	for range 1000 {
		n, err := r.Read(p)
		if all += int64(n); err != nil {
			return all, err
		}
	}
	return all, nil
}

// TestLimits reads as much as the limits allow, at once and in all.
func TestLimits(t *testing.T) {
	octets, conn := limit(flood{}, 0)
	limited := octets.limited
	var all int64
	for all <= 4<<20 {
		n, err := readUntil(conn)
		all += n
		if !errors.Is(err, sasl.ErrProtocol) {
			t.Fatal(err)
		}
		if strings.Contains(err.Error(), "2 MiB") {
			break
		}
		if n != 128<<10 || !strings.Contains(err.Error(), "128 KiB") {
			t.Fatalf("%d octets at once: %v", n, err)
		}
		limited.allow()
	}
	if all != 2<<20 {
		t.Errorf("%d octets", all)
	}
	limited.ready.Store(true)
	if n, err := io.CopyN(io.Discard, conn, 4<<20); err != nil {
		t.Errorf("ready: %d octets, %v", n, err)
	}
}

// TestNoWriteLimit: once the session is ready, a peer may take its time to read.
func TestNoWriteLimit(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	octets, conn := limit(near, 20*time.Millisecond)
	octets.limited.ready.Store(true)
	time.AfterFunc(100*time.Millisecond, func() { far.Read(make([]byte, 1)) })
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	conn.Close()
}

// TestElementBounds: 512 elements, eight levels and 96 KiB are read, and one more of
// each is not.
func TestElementBounds(t *testing.T) {
	octets := strings.Repeat("x", 96<<10-len("urn:a")-len("a"))
	for element, valid := range map[string]bool{
		"<a>" + strings.Repeat("<b/>", 511) + "</a>":                            true,
		"<a>" + strings.Repeat("<b/>", 512) + "</a>":                            false,
		strings.Repeat("<a>", 8) + strings.Repeat("</a>", 8):                    true,
		strings.Repeat("<a>", 9) + strings.Repeat("</a>", 9):                    false,
		"<a xmlns='urn:a'>" + octets[:len(octets)-len("xmlnsurn:a")] + "</a>":   true,
		"<a xmlns='urn:a'>" + octets[:len(octets)-len("xmlnsurn:a")+1] + "</a>": false,
	} {
		_, err := readElement(xml.NewDecoder(strings.NewReader(element)))
		if (err == nil) != valid || !valid && !errors.Is(err, sasl.ErrProtocol) {
			t.Errorf("%.40s, %d octets: %v", element, len(element), err)
		}
	}
}
