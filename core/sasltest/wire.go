package sasltest

import (
	"bytes"
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

// play runs a transcript through the adapter, holds both sides to it, and
// returns what the adapter returned.
func (a Adapter) play(t *testing.T, tr *Transcript, initialResponse bool) error {
	t.Helper()
	return a.converse(t, tr, func(s *server) error {
		if err := s.wire.Greet(tr.MechanismName, initialResponse); err != nil {
			return err
		}
		return s.follow(tr, initialResponse)
	})
}

// playTwice runs a transcript that fails and, on the same connection, one that
// succeeds.
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
		t.Errorf("the attempt after it: %v", err)
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
		if len(tr.Lines) == 1 { // who speaks first has spoken
			_, err := s.untilClosed()
			return err
		}
		return s.closedByClient()
	})
}

// converse runs one exchange against what serve does and compares the outcome
// with what the transcript expects.
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
		Allow:      func(string, sasl.ServerInfo) error { return nil },
	}
}

// run connects the adapter with serve and returns the adapter's error.
func (a Adapter) run(t *testing.T, ctx context.Context, client *sasl.Client, serve func(*server) error) error {
	t.Helper()
	near, far := connect(t)
	defer near.Close()
	defer far.Close()
	far.SetDeadline(time.Now().Add(stall))
	served := make(chan error, 1)
	go func() { served <- serve(&server{far, a.Wire(far), a.Aborts}) }()
	result, err := a.Dial(ctx, near, client)
	if err != nil && result != (sasl.Result{}) {
		t.Errorf("an error and a result: %+v", result)
	}
	if err == nil && result.Mechanism == "" {
		t.Error("no error and no result")
	}
	far.SetDeadline(time.Now().Add(stall / 10)) // there is nobody to wait for
	if serverErr := <-served; serverErr != nil {
		t.Errorf("the server: %v", serverErr)
	}
	return err
}

// connect returns the two ends of a connection over loopback.
func connect(tb testing.TB) (near, far net.Conn) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer listener.Close()
	if near, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	if far, err = listener.Accept(); err != nil {
		tb.Fatal(err)
	}
	return near, far
}

// follow does the server's lines of a transcript and compares the client's.
func (s *server) follow(tr *Transcript, initialResponse bool) error {
	for i, line := range tr.Lines {
		if s.aborts == Closes && i > 0 && tr.Lines[i-1].Op == ClientAborts {
			break // what would have come after it
		}
		if err := s.do(tr, i, line, initialResponse); err != nil {
			return fmt.Errorf("line %d, %.80q: %w", i, line, err)
		}
	}
	return nil
}

func (s *server) do(tr *Transcript, i int, line Line, initialResponse bool) error {
	switch line.Op {
	case ClientSends:
		if i == 0 {
			return s.readInitiate(tr.MechanismName, line.Data, initialResponse)
		}
		return s.readResponse(line.Data)
	case ClientAborts:
		if s.aborts == Closes {
			return s.closedByClient()
		}
		if _, aborted, err := s.wire.ReadResponse(); err != nil || !aborted {
			return errors.Join(err, fmt.Errorf("aborted %t", aborted))
		}
	case ClientCloses:
		return s.closedByClient()
	case Challenge:
		err := s.wire.Challenge(line.Data)
		if i+1 < len(tr.Lines) && tr.Lines[i+1].Op == ClientCloses {
			return nil // it may have gone while we were still writing
		}
		return err
	case Succeed:
		return s.wire.Succeed(line.Data)
	case Refuse:
		return s.wire.Refuse(line.Condition)
	case Cut:
		return s.conn.Close()
	}
	return nil
}

func (s *server) readInitiate(mechanism string, want []byte, initialResponse bool) error {
	name, initial, err := s.wire.ReadInitiate()
	if err != nil {
		return err
	}
	if name != mechanism {
		return fmt.Errorf("mechanism %q, want %q", name, mechanism)
	}
	if initialResponse || want == nil {
		return compare(initial, want)
	}
	if initial != nil {
		return fmt.Errorf("an initial response to a server that takes none: %q", initial)
	}
	if err := s.wire.Challenge([]byte{}); err != nil {
		return err
	}
	return s.readResponse(want)
}

func (s *server) readResponse(want []byte) error {
	response, aborted, err := s.wire.ReadResponse()
	if err != nil || aborted {
		return errors.Join(err, fmt.Errorf("aborted %t", aborted))
	}
	return compare(response, want)
}

func compare(got, want []byte) error {
	if !bytes.Equal(got, want) || (got == nil) != (want == nil) {
		return fmt.Errorf("the client sent %.80q (nil %t), want %.80q (nil %t)", got, got == nil, want, want == nil)
	}
	return nil
}

// closedByClient waits for the end of the connection.
func (s *server) closedByClient() error {
	n, err := s.untilClosed()
	if n > 0 {
		return fmt.Errorf("%d octets where the client should have closed", n)
	}
	return err
}

// untilClosed reads until the client closes or resets the connection, and
// returns how many octets it sent before.
func (s *server) untilClosed() (int64, error) {
	n, err := io.Copy(io.Discard, s.conn)
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return n, errors.New("the client did not close the connection")
	}
	return n, nil
}
