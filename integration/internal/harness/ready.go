package harness

import (
	"context"
	"fmt"
	"time"

	"github.com/testcontainers/testcontainers-go/wait"
)

// serves waits until the server answers in its protocol. An open port says nothing: Docker's proxy accepts before the
// server does.
type serves struct{ server }

var _ wait.Strategy = serves{}

func (s serves) WaitUntilReady(ctx context.Context, target wait.StrategyTarget) error {
	for {
		state, err := target.State(ctx)
		if err != nil {
			return err
		}
		if !state.Running {
			return fmt.Errorf("it ended with code %d", state.ExitCode)
		}
		if err = s.try(ctx, target); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w, the last attempt: %w", ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s serves) try(ctx context.Context, target wait.StrategyTarget) error {
	at, err := s.published(ctx, target)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return s.ask(ctx, at)
}
