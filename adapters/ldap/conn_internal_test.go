package saslldap

import (
	"bufio"
	"math"
	"net"
	"testing"
)

// TestMessageIDs: after the largest possible message ID ours begin again at the
// lowest.
func TestMessageIDs(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	go func() {
		m := newMux(near)
		go m.Read(make([]byte, 1))
		b := &binder{mux: m, client: &Client{nextID: math.MaxInt32}}
		b.roundTrip(t.Context(), "X", nil)
		b.roundTrip(t.Context(), "X", nil)
	}()
	r := bufio.NewReader(far)
	for _, want := range []int64{math.MaxInt32, firstID} {
		h, err := peekHeader(r)
		if err != nil || h.id != want {
			t.Fatalf("message ID %d, %v, want %d", h.id, err, want)
		}
		r.Discard(h.total)
		answer := encodeResponse(result{})
		copy(answer[4:], []byte{byte(want >> 24), byte(want >> 16), byte(want >> 8), byte(want)})
		far.Write(answer)
	}
}
