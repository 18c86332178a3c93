package sasloauth2_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	sasloauth2 "github.com/saslkit/saslkit/oauth2"
	"golang.org/x/oauth2"
)

// TestFromTokenSource: a refused token gets no second attempt, and the error says so.
func TestFromTokenSource(t *testing.T) {
	source := sasloauth2.FromTokenSource(oauth2.StaticTokenSource(stored("ya29-0", "")), alice)
	if err := login(t.Context(), source, sends("ya29-0"), succeeds); err != nil {
		t.Error(err)
	}
	err := login(t.Context(), source, sends("ya29-0"), refuses)
	want := "authentication error: refused with not-authorized; no second attempt: the source of the token cannot supply another one"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// slow is a TokenSource whose calls end when they are let go.
type slow struct {
	calls atomic.Int32
	let   chan struct{}
	err   error
}

func (s *slow) Token() (*oauth2.Token, error) {
	s.calls.Add(1)
	<-s.let
	return &oauth2.Token{AccessToken: "ya29-0"}, s.err
}

// TestTokenHangs: a login ends with its context although Token goes on, and those
// that come meanwhile share the call.
func TestTokenHangs(t *testing.T) {
	tokens := &slow{let: make(chan struct{})}
	source := sasloauth2.FromTokenSource(tokens, alice)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	for range 5 {
		if err := func() error { _, err := source(ctx, sasl.Prompt{}); return err }(); sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	var logins sync.WaitGroup
	for range 3 {
		logins.Go(func() {
			if err := login(t.Context(), source, sends("ya29-0"), succeeds); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(10 * time.Millisecond) // they wait by now
	if n := tokens.calls.Load(); n != 1 {
		t.Errorf("%d calls at once", n)
	}
	close(tokens.let)
	logins.Wait()
	before := tokens.calls.Load()
	if err := login(t.Context(), source, sends("ya29-0"), succeeds); err != nil || tokens.calls.Load() != before+1 {
		t.Errorf("%v, %d calls", err, tokens.calls.Load())
	}
}

// TestTokenFails: an error of a TokenSource is temporary, unless it has a class, and
// nothing is sent.
func TestTokenFails(t *testing.T) {
	down := errors.New("no network")
	for err, want := range map[error]sasl.Class{down: sasl.ErrTemporary, sasl.ErrAuthentication: sasl.ErrAuthentication} {
		tokens := &slow{let: make(chan struct{}), err: err}
		close(tokens.let)
		got := login(t.Context(), sasloauth2.FromTokenSource(tokens, alice))
		if sasl.ClassOf(got) != want || !errors.Is(got, err) || strings.Contains(got.Error(), "second attempt") {
			t.Error(got)
		}
	}
}
