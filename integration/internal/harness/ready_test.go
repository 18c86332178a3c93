package harness

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go/wait"
)

type target struct {
	wait.StrategyTarget
	state container.State
}

func (t target) State(context.Context) (*container.State, error) { return &t.state, nil }

func (target) MappedPort(context.Context, string) (network.Port, error) {
	return network.MustParsePort("40143/tcp"), nil
}

func TestReadyWhenItAnswers(t *testing.T) {
	var asked []string
	s := serves{server{ports: []string{"143/tcp"}, ask: func(_ context.Context, at addresses) error {
		asked = append(asked, at["143/tcp"])
		if len(asked) < 3 {
			return errors.New("not yet")
		}
		return nil
	}}}
	if err := s.WaitUntilReady(t.Context(), target{state: container.State{Running: true}}); err != nil {
		t.Error(err)
	}
	if len(asked) != 3 || asked[0] != "127.0.0.1:40143" {
		t.Errorf("asked %q", asked)
	}
}

func TestReadyGivesUpOnADeadServer(t *testing.T) {
	s := serves{server{ask: func(context.Context, addresses) error { return errors.New("refused") }}}
	err := s.WaitUntilReady(t.Context(), target{state: container.State{ExitCode: 89}})
	if err == nil || err.Error() != "it ended with code 89" {
		t.Errorf("got %v", err)
	}
}

func TestReadySaysWhatItWaitedFor(t *testing.T) {
	refused := errors.New("refused")
	s := serves{server{ask: func(context.Context, addresses) error { return refused }}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := s.WaitUntilReady(ctx, target{state: container.State{Running: true}})
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}
