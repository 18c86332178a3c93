package main

import (
	"context"
	"time"
)

// clock ends a context after a time. The clock stops while a person types.
type clock struct {
	timeout time.Duration
	timer   *time.Timer
	paused  time.Duration // so far
}

func startClock(ctx context.Context, timeout time.Duration) (context.Context, *clock, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := &clock{timeout: timeout}
	c.timer = time.AfterFunc(timeout, func() { cancel(context.DeadlineExceeded) })
	return ctx, c, func() {
		c.timer.Stop()
		cancel(nil)
	}
}

// pause stops the clock. The returned function starts the clock again, with the
// whole timeout.
func (c *clock) pause() (resume func()) {
	c.timer.Stop()
	start := time.Now()
	return func() {
		c.paused += time.Since(start)
		c.timer.Reset(c.timeout)
	}
}
