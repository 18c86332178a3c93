package sasltest

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

func (a Adapter) testMalformed(t *testing.T) {
	for _, m := range a.Malformed {
		t.Run(m.Name, func(t *testing.T) {
			a.playMalformed(t, m)
		})
	}
}

// testOverLong tests that the adapter stops reading a line without an end, in
// limited memory.
func (a Adapter) testOverLong(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	a.play(t, script(sasl.ErrProtocol, clientSends("i"), challenge(strings.Repeat("A", 8<<20)), closes), true)
	runtime.ReadMemStats(&after)
	// The measured memory contains the server's own copies of the line.
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 96<<20 {
		t.Errorf("%d MiB were allocated", grown>>20)
	}
}

func (a Adapter) testCut(t *testing.T) {
	cut := Line{Op: Cut}
	a.play(t, script(sasl.ErrConnection, clientSends("i"), cut), true)
	a.play(t, script(sasl.ErrConnection, clientSends("i"), challenge("c"), clientSends("r"), cut), true)
}

// limit is the largest time of an adapter for one exchange. The kit's own tests use
// a smaller limit.
var limit = 8 * time.Second

// stall is the time for which a silent server keeps the connection open. A client
// must not wait for this time.
const stall = time.Minute

// testCancel tests that a context that ends at any step ends the call long before
// the server does and closes the connection, and that no goroutine is left.
func (a Adapter) testCancel(t *testing.T) {
	stalls := Line{Op: Stall}
	for _, lines := range [][]Line{
		{stalls},
		{clientSends("i"), stalls},
		{clientSends("i"), challenge("c"), clientSends("r"), stalls},
	} {
		before := runtime.NumGoroutine()
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		err := a.playCancelled(t, ctx, cancel, script(sasl.ErrConnection, lines...))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%q: %v does not match the context's error", lines, err)
		}
		if took := time.Since(start); took > limit/2 {
			t.Errorf("%q: it took %v", lines, took)
		}
		for deadline := time.Now().Add(limit / 2); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%q: %d goroutines, %d before", lines, runtime.NumGoroutine(), before)
			}
		}
	}
}
