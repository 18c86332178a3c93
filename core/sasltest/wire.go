package sasltest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// server plays the server's part of transcripts over a Wire.
type server struct {
	conn   net.Conn
	wire   Wire
	aborts AbortStyle
}

// play runs a transcript through the adapter, compares both sides with the
// transcript, and returns the adapter's error.
func (a Adapter) play(t *testing.T, tr *Transcript, initialResponse bool) error {
	t.Helper()
	return a.converse(t, tr, func(s *server) error {
		if err := s.wire.Greet(tr.MechanismName, initialResponse); err != nil {
			return err
		}
		return s.follow(tr, initialResponse)
	})
}

// playTwice runs a failing transcript and then, on the same connection, a
// successful transcript.
func (a Adapter) playTwice(t *testing.T, first *Transcript) {
	t.Helper()
	second := script(Success, clientSends("second"), challenge("c2"), clientSends("r2"), success)
	client := a.client(first)
	client.Retry = func(context.Context, error) *sasl.Client { return a.client(second) }
	err := a.run(t, t.Context(), client, func(s *server) error {
		if err := s.wire.Greet(mechanismName, true); err != nil {
			return err
		}
		return errors.Join(s.follow(first, true), s.follow(second, true))
	})
	if err != nil {
		t.Errorf("the second attempt: %v", err)
	}
}

func (a Adapter) playMalformed(t *testing.T, m Malformed) {
	t.Helper()
	first := script(m.Class, clientSends("i"), challenge("never"), aborts)
	second := script(Success, clientSends("second"), success)
	client := a.client(first)
	if m.InSync {
		client.Retry = func(context.Context, error) *sasl.Client { return a.client(second) }
	}
	inSync := m.InSync && a.Aborts == AbortsAndGoesOn
	err := a.run(t, t.Context(), client, func(s *server) error {
		if err := s.wire.Greet(mechanismName, true); err != nil {
			return err
		}
		if _, _, err := s.wire.ReadInitiate(); err != nil {
			return err
		}
		if _, err := io.WriteString(s.conn, m.Frame); err != nil {
			return err
		}
		if !inSync {
			return s.closedByClient()
		}
		if _, aborted, err := s.wire.ReadResponse(); err != nil || !aborted {
			return errors.Join(err, fmt.Errorf("aborted %t", aborted))
		}
		if err := s.wire.Refuse(sasl.Aborted); err != nil {
			return err
		}
		return s.follow(second, true)
	})
	if inSync && err != nil {
		t.Errorf("the attempt after the malformed frame: %v", err)
	}
	if !inSync && sasl.ClassOf(err) != m.Class {
		t.Errorf("class %q, want %q: %v", sasl.ClassOf(err), m.Class, err)
	}
}

// playCancelled is play with a context that ends when the server stalls.
func (a Adapter) playCancelled(t *testing.T, ctx context.Context, cancel func(), tr *Transcript) error {
	t.Helper()
	return a.run(t, ctx, a.client(tr), func(s *server) error {
		if len(tr.Lines) > 1 {
			if err := s.wire.Greet(mechanismName, true); err != nil {
				return err
			}
		}
		stalled := &Transcript{Name: tr.Name, MechanismName: tr.MechanismName, Lines: tr.Lines[:len(tr.Lines)-1]}
		if err := s.follow(stalled, true); err != nil {
			return err
		}
		cancel()
		if len(tr.Lines) == 1 { // a client that sends first may have sent octets
			_, err := s.untilClosed()
			return err
		}
		return s.closedByClient()
	})
}

// converse runs one exchange with serve as the server, and compares the outcome with
// the outcome that the transcript expects.
func (a Adapter) converse(t *testing.T, tr *Transcript, serve func(*server) error) error {
	t.Helper()
	err := a.run(t, t.Context(), a.client(tr), serve)
	if (err == nil) != (tr.Expect == Success) || err != nil && sasl.ClassOf(err) != tr.Expect {
		t.Errorf("%q: %v, want %s", tr.Lines, err, tr.Expect)
	}
	return err
}

func (a Adapter) client(tr *Transcript) *sasl.Client {
	return &sasl.Client{
		Mechanisms: []sasl.Mechanism{tr.Mechanism()},
		Allow:      func(sasl.Candidate) error { return nil },
	}
}

// run connects the adapter with serve and returns the adapter's error.
func (a Adapter) run(t *testing.T, ctx context.Context, client *sasl.Client, serve func(*server) error) error {
	t.Helper()
	near, far := Pair(t)
	defer near.Close()
	defer far.Close()
	far.SetDeadline(time.Now().Add(stall))
	served := make(chan error, 1)
	go func() {
		err := serve(&server{far, a.Wire(far), a.Aborts})
		if err != nil { // the client must not wait for the remaining messages
			far.Close()
		}
		served <- err
	}()
	conn, description := a.reading.divide(near, a.seed)
	result, err := a.dial(t, ctx, conn, client)
	if name := client.Mechanisms[0].Name(); err != nil && result.Mechanism != "" && result.Mechanism != name {
		t.Errorf("an error of %s and a result of another mechanism: %+v", name, result)
	}
	if err == nil && result.Mechanism == "" {
		t.Error("no error and no result")
	}
	far.SetDeadline(time.Now().Add(limit / 2)) // the client has returned
	if serverErr := <-served; serverErr != nil {
		t.Errorf("the server, which is read %s: %v", description, serverErr)
	}
	return err
}

// dial runs the adapter's entry point. If the entry point does not return in time,
// the case fails, and the goroutine continues to run.
func (a Adapter) dial(t *testing.T, ctx context.Context, conn net.Conn, client *sasl.Client) (result sasl.Result, err error) {
	t.Helper()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		result, err = a.Dial(ctx, conn, client)
	}()
	select {
	case <-returned:
		return result, err
	case <-time.After(limit):
	}
	conn.Close()
	select {
	case <-returned:
		t.Fatalf("the adapter did not return within %v, only when the connection was closed", limit)
	case <-time.After(limit / 8):
		t.Fatalf("the adapter did not return within %v, nor when the connection was closed", limit)
	}
	return sasl.Result{}, nil
}
