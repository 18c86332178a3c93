package saslldap_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// hostileAnswers are what a server sends in place of an answer, again and again up
// to 64 MiB. The four octets of the message ID are filled in.
func hostileAnswers() map[string][]byte {
	id := "\x02\x04\x00\x00\x00\x00"
	entry := func(attributes []byte) []byte {
		return element(0x30, append([]byte(id), element(0x64, append([]byte("\x04\x00"), element(0x30, attributes)...))...))
	}
	values := func(n int) []byte {
		return element(0x30, append([]byte("\x04\x17supportedSASLMechanisms"), element(0x31, []byte(strings.Repeat("\x04\x00", n)))...))
	}
	nested := func(depth int) (b []byte) {
		b = element(0x04, make([]byte, 110<<10))
		for range depth {
			b = element(0x30, b)
		}
		return b
	}
	return map[string][]byte{
		"8 MiB of elements":    entry(values(4 << 20)),
		"120 KiB of elements":  entry(values(60 << 10)),
		"as many as may be":    entry(values(4000)),
		"nested":               entry(nested(28)),
		"as deep as may be":    entry(element(0x30, append([]byte("\x04\x01x"), element(0x31, nested(5))...))),
		"entries":              entry(element(0x30, []byte("\x04\x01x\x31\x03\x04\x01x"))),
		"references":           element(0x30, append([]byte(id), element(0x73, []byte("\x04\x06ldap:/"))...)),
		"other parts":          element(0x30, append([]byte(id), element(0x79, nil)...)),
		"one result of 64 MiB": element(0x30, append([]byte(id), element(0x61, append([]byte("\x0a\x01\x0e\x04\x00\x04\x00"), element(0x87, make([]byte, 64<<20))...))...)),
		"controls":             element(0x30, append([]byte(id+"\x61\x07\x0a\x01\x0e\x04\x00\x04\x00"), element(0xa0, bytes.Repeat([]byte("\x30\x00"), 60<<10))...)),
		"notices of others":    message(0, notification("1.3.6.1.1.21.4", 80, "aborted")),
		"elements in notices":  element(0x30, append([]byte("\x02\x01\x00"), element(0x78, append([]byte("\x0a\x01\x00\x04\x00\x04\x00"), bytes.Repeat([]byte("\x04\x00"), 8000)...))...)),
		"many in each notice":  element(0x30, append([]byte("\x02\x01\x00"), element(0x78, append([]byte("\x0a\x01\x00\x04\x00\x04\x00\x8a\x01x"), bytes.Repeat([]byte("\x04\x00"), 3000)...))...)),
		"somebody's answers":   message(77, result(tagSearchDone, 0, strings.Repeat("x", 1000), nil)),
	}
}

// flood sends a hostile answer with this message ID until 64 MiB or 20 000 messages
// have gone out, or the client hangs up.
func flood(conn net.Conn, frame []byte, id int64) {
	if at := bytes.Index(frame, []byte("\x02\x04")); at == 6 { // in place, because a copy counts as the client's
		copy(frame[8:], []byte{byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)})
	}
	for sent := 0; sent < min(64<<20, 20_000*len(frame)); sent += len(frame) {
		if _, err := conn.Write(frame); err != nil {
			return
		}
	}
	conn.Close()
}

// TestOwnRequestsAreBounded: whatever a server answers to a request of ours, before
// the bind, in the bind and after it, the client allocates less than 8 MiB in all,
// and the error has a class.
func TestOwnRequestsAreBounded(t *testing.T) {
	for name, frame := range hostileAnswers() {
		for state := range 3 { // the root DSE, the bind, the root DSE again
			near, far := net.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				w := newWire(far)
				if state > 0 {
					w.Greet("PLAIN", true)
				}
				w.request()
				if state > 1 {
					w.send(result(tagBindResponse, 0, "", nil))
					w.request()
				}
				flood(far, frame, w.id)
				io.Copy(io.Discard, far)
			}()
			client, err := saslldap.NewConn(t.Context(), near, host, &saslldap.Options{Secure: true, StepTimeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err = client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("alice", "pencil"))}})
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown >= 8<<20 {
				t.Errorf("%s, state %d: %d KiB were allocated", name, state, grown>>10)
			}
			if !errors.Is(err, sasl.ErrProtocol) {
				t.Errorf("%s, state %d: %v", name, state, err)
			}
			if name == "references" && state == 0 && !strings.Contains(err.Error(), "more than 4 messages") {
				t.Error(err)
			}
			client.Close()
			far.Close()
			<-done // the next state writes into the frame
		}
	}
}

// TestStartTLSIsBounded: the same for the answer to StartTLS.
func TestStartTLSIsBounded(t *testing.T) {
	for name, frame := range hostileAnswers() {
		near, far := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			newWire(far).request()
			flood(far, frame, 1)
		}()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := saslldap.NewStartTLS(t.Context(), near, host, &saslldap.Options{StepTimeout: 5 * time.Second})
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown >= 8<<20 {
			t.Errorf("%s: %d KiB were allocated", name, grown>>10)
		}
		if !errors.Is(err, sasl.ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
		far.Close()
		<-done
	}
}

// TestLargestAnswers: an entry that is as large, as full or as deep as may be takes
// less than 8 MiB too, and one beyond a bound is not decoded.
func TestLargestAnswers(t *testing.T) {
	for name, ok := range map[string]bool{"as many as may be": true, "as deep as may be": true, "120 KiB of elements": false, "nested": false} {
		near, far := net.Pipe()
		frame := hostileAnswers()[name]
		go func() {
			w := newWire(far)
			w.request()
			copy(frame[8:], []byte{byte(w.id >> 24), byte(w.id >> 16), byte(w.id >> 8), byte(w.id)})
			far.Write(frame)
			w.send(result(tagSearchDone, 0, "", nil))
		}()
		client, err := saslldap.NewConn(t.Context(), near, host, nil)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = client.ServerInfo(t.Context())
		runtime.ReadMemStats(&after)
		grown := after.TotalAlloc - before.TotalAlloc
		if grown >= 8<<20 || !ok && grown >= 1<<20 || (err == nil) != ok {
			t.Errorf("%s: %d KiB were allocated, %v", name, grown>>10, err)
		}
		client.Close()
		far.Close()
	}
}

// TestLateAnswers: what comes for a request of the library that has its answer does
// not reach the library, which would decode all of it.
func TestLateAnswers(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	client, err := saslldap.NewConn(t.Context(), near, host, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.SetTimeout(5 * time.Second)
	late := hostileAnswers()["8 MiB of elements"]
	answered := make(chan struct{})
	go func() {
		w := newWire(far)
		w.request()
		w.send(result(tagSearchDone, 0, "", nil))
		id := w.id
		copy(late[6:], []byte{2, 4, byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)})
		w.request()
		close(answered)
		far.Write(late)
		w.send(result(tagSearchDone, 0, "", nil))
	}()
	if got := <-search(client, "dc=one"); got.err != nil {
		t.Fatal(got.err)
	}
	second := search(client, "dc=two")
	select {
	case <-answered:
	case got := <-second:
		t.Fatalf("no request came: %v", got.err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if got := <-second; got.err != nil {
		t.Error(got.err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown >= 1<<20 {
		t.Errorf("%d KiB were allocated", grown>>10)
	}
}

// TestSecondRootDSE: a search for one entry has one entry.
func TestSecondRootDSE(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	go func() {
		w := newWire(far)
		w.request()
		entry := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tagSearchEntry, nil, "")
		entry.AppendChild(octets(""))
		list := ber.NewSequence("")
		list.AppendChild(mechanisms("PLAIN"))
		entry.AppendChild(list)
		w.send(entry)
		w.send(entry)
		w.send(result(tagSearchDone, 0, "", nil))
	}()
	client, err := saslldap.NewConn(t.Context(), near, host, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.ServerInfo(t.Context()); !errors.Is(err, sasl.ErrProtocol) || !strings.Contains(err.Error(), "more than one root DSE") {
		t.Error(err)
	}
}
