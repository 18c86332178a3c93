package transport

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

func TestTimeouts(t *testing.T) {
	for _, row := range []struct{ option, connect, answer time.Duration }{
		{0, 30 * time.Second, 5 * time.Minute},
		{time.Second, time.Second, time.Second},
		{-1, 0, 0},
	} {
		if c, a := ConnectTimeout(row.option), AnswerTimeout(row.option); c != row.connect || a != row.answer {
			t.Errorf("%s: %s and %s", row.option, c, a)
		}
	}
}

// TestWithin: a wait ends with its context and at its limit, and the connection is
// closed then and only then.
func TestWithin(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	own := errors.New("own")
	for _, row := range []struct {
		name  string
		ctx   context.Context
		limit time.Duration
		wait  error // nil = until the connection is closed
		class sasl.Class
		is    error
		open  bool
	}{
		{"an error", t.Context(), time.Hour, own, sasl.ErrConnection, own, true},
		{"an error with a class", t.Context(), time.Hour, sasl.ErrProtocol, sasl.ErrProtocol, sasl.ErrProtocol, true},
		{"no limit", t.Context(), 0, own, sasl.ErrConnection, own, true},
		{"too late", t.Context(), 20 * time.Millisecond, nil, sasl.ErrConnection, os.ErrDeadlineExceeded, false},
		{"an ended context", ended, 0, nil, sasl.ErrConnection, context.Canceled, false},
		{"an ended context and a limit", ended, time.Hour, nil, sasl.ErrConnection, context.Canceled, false},
	} {
		near, far := sasltest.Pair(t)
		err := Within(row.ctx, row.limit, near, func(context.Context) error {
			if row.wait != nil {
				return row.wait
			}
			near.SetReadDeadline(time.Now().Add(5 * time.Second)) // a wait that nobody ends fails
			_, err := near.Read(make([]byte, 1))
			return err
		})
		if sasl.ClassOf(err) != row.class || !errors.Is(err, row.is) {
			t.Errorf("%s: %v", row.name, err)
		}
		if row.name == "too late" && err.Error() != "connection error: the peer did not answer within 20ms: i/o timeout" {
			t.Errorf("%s: %v", row.name, err)
		}
		go near.Write([]byte("x"))
		far.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.ReadFull(far, make([]byte, 1)); (err == nil) != row.open {
			t.Errorf("%s: the peer reads %v", row.name, err)
		}
	}
}

// TestWithinSuccess: a wait that succeeds too late has a closed connection, and one
// that lost to an attack says both.
func TestWithinSuccess(t *testing.T) {
	near, _ := sasltest.Pair(t)
	if err := Within(t.Context(), time.Hour, near, func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
	err := Within(t.Context(), time.Millisecond, near, func(context.Context) error {
		near.SetReadDeadline(time.Now().Add(5 * time.Second))
		near.Read(make([]byte, 1))
		return nil
	})
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	err = Within(t.Context(), time.Millisecond, near, func(ctx context.Context) error {
		<-ctx.Done()
		return sasl.ErrSecurity
	})
	if sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, sasl.ErrSecurity) {
		t.Error(err)
	}
}

func TestRun(t *testing.T) {
	near, _ := sasltest.Pair(t)
	err := Run(t.Context(), Greeting, 0, near, func(context.Context) error { return sasl.ErrProtocol })
	var step *StepError
	if !errors.As(err, &step) || step.Step != "greeting" || step.Address != near.RemoteAddr().String() || sasl.ClassOf(err) != sasl.ErrProtocol {
		t.Errorf("%#v", err)
	}
	if want := "protocol error (step: greeting, address: " + near.RemoteAddr().String() + ")"; err.Error() != want {
		t.Errorf("%v", err)
	}
	if err := Run(t.Context(), Greeting, 0, near, func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
}
