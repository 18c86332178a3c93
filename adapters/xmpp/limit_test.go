package saslxmpp

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

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

// TestLimits reads as much as the limits allow, at once and in all.
func TestLimits(t *testing.T) {
	octets, conn := limit(flood{}, 0)
	limited := octets.limited
	var all int64
	for {
		n, err := io.Copy(io.Discard, conn)
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
