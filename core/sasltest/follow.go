package sasltest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
)

// follow performs the server's lines of a transcript and compares the client's
// lines.
func (s *server) follow(tr *Transcript, initialResponse bool) error {
	for i, line := range tr.Lines {
		if s.aborts == Closes && i > 0 && tr.Lines[i-1].Op == ClientAborts {
			break // the client has closed the connection, so no line can follow
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
			return nil // the client may have closed the connection during the write
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
		return fmt.Errorf("an initial response to a server that accepts none: %q", initial)
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
		return fmt.Errorf("the client sent %d octets instead of closing the connection", n)
	}
	return err
}

// untilClosed reads until the client closes or resets the connection, and returns
// the number of octets that the client sent before.
func (s *server) untilClosed() (int64, error) {
	n, err := io.Copy(io.Discard, s.conn)
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return n, errors.New("the client did not close the connection")
	}
	return n, nil
}
