package smtptest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// Read is a step of a script in which the server reads a line. Any other step is what
// the server sends.
const Read = "<"

// Cancel plays the script of a server that then is silent and reads nothing, ends the
// context of the login, and checks that the login ends at once with the right error.
func Cancel(t *testing.T, script []string, login func(ctx context.Context, conn net.Conn) error) {
	t.Helper()
	near, far := net.Pipe()
	defer far.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- login(ctx, near) }()
	far.SetDeadline(time.Now().Add(5 * time.Second))
	reader := bufio.NewReaderSize(far, 16) // so that it takes no more than the line
	for _, step := range script {
		var err error
		if step == Read {
			_, err = reader.ReadString('\n')
		} else {
			_, err = io.WriteString(far, step)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(20 * time.Millisecond) // the state is reached
	start := time.Now()
	cancel()
	select {
	case err := <-done:
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("it took %s", took)
		}
		if sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(4 * time.Second):
		t.Error("the login goes on")
	}
}
