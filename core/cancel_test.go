package sasl_test

import (
	"context"
	"crypto/fips140"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// stallFor is the time for which a stalling peer would delay a run. A test that
// waits for this time has failed.
const stallFor = 30 * time.Second

// withLeakCheck fails if its function leaves a goroutine behind.
func withLeakCheck(t *testing.T, run func()) {
	t.Helper()
	before := runtime.NumGoroutine()
	run()
	for deadline := time.Now().Add(stallFor); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// TestCancel shows that a context that ends at any step ends the run and closes the
// connection, and that no goroutine is left.
func TestCancel(t *testing.T) {
	stall := sasltest.Line{Op: sasltest.Stall}
	for name, lines := range map[string][]sasltest.Line{
		"at the initial response": {c(rfc7677ClientFirst), stall, closes},
		"at the client-final":     {c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal), stall, closes},
		"at the last response":    {c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal), s(rfc7677ServerFinal), c(""), stall, closes},
	} {
		t.Run(name, func(t *testing.T) {
			withLeakCheck(t, func() {
				ctx, cancel := context.WithCancel(t.Context())
				peer := sasltest.NewPeer(lines...)
				peer.OnStall = cancel
				_, err := rfc7677Client("pencil").Authenticate(ctx, peer, scramServer)
				if !errors.Is(err, sasl.ErrConnection) || !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				if err := peer.Fault(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestCancelDerivation shows that the context ends a key derivation, whose work the
// server chose.
func TestCancelDerivation(t *testing.T) {
	withLeakCheck(t, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		client := rfc7677Client("pencil")
		iterations := 2_000_000_000 // five minutes
		if fips140.Enabled() {
			iterations = 10_000_000 // two seconds in the background
		}
		client.SCRAM.MaxIterations = iterations
		peer := sasltest.NewPeer(c(rfc7677ClientFirst), s(strings.Replace(rfc7677ServerFirst, "4096", strconv.Itoa(iterations), 1)), closes)
		start := time.Now()
		_, err := client.Authenticate(ctx, peer, scramServer)
		if !errors.Is(err, sasl.ErrConnection) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if took := time.Since(start); took > stallFor/3 {
			t.Errorf("it took %v", took)
		}
		if err := peer.Fault(); err != nil {
			t.Error(err)
		}
	})
}

// TestCancelCredentials shows that a callback that waits for a person ends with the
// context.
func TestCancelCredentials(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(func(ctx context.Context, _ sasl.Prompt) (sasl.Credential, error) {
		cancel()
		<-ctx.Done()
		return sasl.Credential{}, ctx.Err()
	})}}
	peer := sasltest.NewPeer()
	if _, err := client.Authenticate(ctx, peer, plainServer); sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if !peer.Closed() {
		t.Error("the connection is open")
	}
}

// TestCancelledBefore shows that a client with an ended context sends nothing and
// closes the connection, as the client does if the context ends later.
func TestCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	peer := sasltest.NewPeer(closes)
	if _, err := plainClient("secret").Authenticate(ctx, peer, plainServer); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := peer.Fault(); err != nil {
		t.Error(err)
	}
}

// lateCancel announces success after the context has ended.
type lateCancel struct {
	*sasltest.Peer
	cancel func()
}

func (l lateCancel) Initiate(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	l.cancel()
	for !l.Closed() {
		time.Sleep(time.Millisecond)
	}
	return sasl.Reply{Done: true}, nil
}

// TestSuccessAfterCancel shows that a login over a closed connection is not a
// success.
func TestSuccessAfterCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	result, err := plainClient("secret").Authenticate(ctx, lateCancel{sasltest.NewPeer(), cancel}, plainServer)
	if !errors.Is(err, context.Canceled) || result.Mechanism != "PLAIN" || result.Username != "tim" {
		t.Errorf("%+v, %v", result, err)
	}
}
