package main

import (
	"context"
	"errors"
	"strconv"
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

// timeLimit is the value of --timeout: a number of seconds, or a duration of Go.
type timeLimit time.Duration

func (l timeLimit) String() string { return time.Duration(l).String() }

// Type names the value in the help.
func (timeLimit) Type() string { return "TIME" }

// Set reads the value.
func (l *timeLimit) Set(text string) error {
	limit, err := time.ParseDuration(text)
	if seconds, secondsErr := strconv.ParseFloat(text, 64); secondsErr == nil {
		limit, err = time.Duration(seconds*float64(time.Second)), nil
	}
	if err != nil || limit <= 0 {
		return errors.New("write a number of seconds above 0, or a time such as 1m30s")
	}
	*l = timeLimit(limit)
	return nil
}
