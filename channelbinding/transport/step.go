package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// Step is a step on the way to an authenticated connection. The
// authentication follows these steps; its errors are a *sasl.LoginError.
type Step string

// The steps, in their order. A connection does not have all of them.
const (
	Dial         Step = "dial"
	Greeting     Step = "greeting"
	StartTLS     Step = "starttls"
	TLSHandshake Step = "handshake"
	Capabilities Step = "capabilities"
)

// StepError says in which step a connection failed. Get it with errors.As.
type StepError struct {
	Step    Step   // the step that failed
	Address string // of the peer, as a net.Addr prints it, or as it was dialled; "" = not known
	Err     error  // the reason; it has the class
}

// Error returns the text of Err, and then the step and the address.
func (e *StepError) Error() string {
	if e.Address == "" {
		return fmt.Sprintf("%v (step: %s)", e.Err, e.Step)
	}
	return fmt.Sprintf("%v (step: %s, address: %s)", e.Err, e.Step, e.Address)
}

// Unwrap returns Err.
func (e *StepError) Unwrap() error { return e.Err }

// Timeouts of the steps if StepTimeout is 0.
const (
	defaultConnect = 30 * time.Second // the dial and the handshake, each
	defaultAnswer  = 5 * time.Minute  // the greeting and every answer, each (RFC 5321 s4.5.3.2)
)

// ConnectTimeout returns what the option StepTimeout means for a dial and for a
// handshake: 0 = 30 s each, negative = no timeout, which is 0 here.
func ConnectTimeout(option time.Duration) time.Duration { return timeout(option, defaultConnect) }

// AnswerTimeout returns what the option StepTimeout means for a greeting and for
// every answer: 0 = 5 minutes each, because some servers delay a greeting or a
// refusal on purpose; negative = no timeout, which is 0 here.
func AnswerTimeout(option time.Duration) time.Duration { return timeout(option, defaultAnswer) }

func timeout(option, unset time.Duration) time.Duration {
	switch {
	case option < 0:
		return 0
	case option == 0:
		return unset
	}
	return option
}

// Within runs what waits for a peer. It closes conn if ctx ends or the limit, 0 =
// none, passes before wait returns; a nil conn is for a wait that the context
// ends by itself. Errors are those of Classify, and an ErrConnection that matches
// os.ErrDeadlineExceeded if the limit has passed.
func Within(ctx context.Context, limit time.Duration, conn net.Conn, wait func(context.Context) error) error {
	inner := ctx
	if limit > 0 {
		var cancel context.CancelFunc
		inner, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	stop := context.AfterFunc(inner, func() {
		if conn != nil {
			Close(conn)
		}
	})
	err := wait(inner)
	if stop() && (err == nil || inner.Err() == nil) {
		return Classify(ctx, err)
	}
	if ctx.Err() != nil {
		return Classify(ctx, err)
	}
	late := fmt.Errorf("%w: the peer did not answer within %s: %w", sasl.ErrConnection, limit, os.ErrDeadlineExceeded)
	if errors.Is(err, sasl.ErrSecurity) {
		return fmt.Errorf("%w (%w)", late, err)
	}
	return late
}

// Run is Within for a step: its errors are a *StepError with conn's address.
func Run(ctx context.Context, step Step, limit time.Duration, conn net.Conn, wait func(context.Context) error) error {
	err := Within(ctx, limit, conn, wait)
	if err == nil {
		return nil
	}
	failed := &StepError{Step: step, Err: err}
	if remote := conn.RemoteAddr(); remote != nil {
		failed.Address = remote.String()
	}
	return failed
}
