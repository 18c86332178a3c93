package saslldap

import (
	"bufio"
	"context"
	"errors"
	"math"
	"net"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// TestMessageIDs: after the largest possible message ID ours begin again at the
// lowest.
func TestMessageIDs(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	far.SetDeadline(time.Now().Add(5 * time.Second))
	go func() {
		m := newMux(near)
		go m.Read(make([]byte, 1))
		b := &binder{mux: m, client: &Client{nextID: math.MaxInt32}}
		b.roundTrip(t.Context(), "X", nil)
		b.InstallLayer(nil)
		b.roundTrip(t.Context(), "X", nil)
		b.InstallLayer(nil)
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

// TestWrite: what is not one message is refused, and nothing of it is sent.
func TestWrite(t *testing.T) {
	whole := encodeRootDSE(1)
	for name, b := range map[string][]byte{"nothing": {}, "no LDAP": []byte("hello, world"), "half": whole[:10], "cut": whole[:len(whole)-1], "two": append(whole, whole...)} {
		near, far := net.Pipe()
		near.Close()
		if n, err := newMux(near).Write(b); n != 0 || sasl.ClassOf(err) != sasl.ErrConfig {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		far.Close()
	}
}

// TestWriteAfterwards: a request after the end of the connection gets the reason.
func TestWriteAfterwards(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	m := newMux(near)
	m.end(errBindOpen)
	if n, err := m.Write(encodeRootDSE(1)); n != 0 || err != errBindOpen {
		t.Errorf("%d, %v", n, err)
	}
}

// TestNothingIsSent: a request of ours is not sent over a connection that has ended
// for another reason than its closing, nor for a context that has ended.
func TestNothingIsSent(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, row := range map[string]struct {
		ctx  context.Context
		fail error
		want error
	}{
		"the connection": {t.Context(), errFrame, errFrame},
		"the context":    {ended, nil, context.Canceled},
	} {
		near, far := net.Pipe()
		m := newMux(near)
		if row.fail != nil {
			m.fail(row.fail)
		}
		read := make(chan int, 1)
		go func() {
			n, _ := far.Read(make([]byte, 100))
			read <- n
		}()
		_, err := m.roundTrip(row.ctx, newOwnRequest(firstID, true), encodeRootDSE(firstID))
		near.Close()
		if n := <-read; n != 0 || !errors.Is(err, row.want) {
			t.Errorf("%s: %d octets were sent, %v", name, n, err)
		}
		far.Close()
	}
}
