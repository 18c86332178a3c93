package sasltest

import (
	"errors"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

func (a Adapter) testInitialResponses(t *testing.T) {
	a.play(t, script(Success, clientSends("initial"), challenge("c"), clientSends("r"), success), true)
	a.play(t, script(Success, clientSends(""), challenge("c"), clientSends("r"), success), true)
	a.play(t, script(Success, clientSends(""), success), true)
	a.play(t, script(Success, noInitial, challenge("c"), clientSends("r"), success), true)
}

// testDeferred tests that a client sends the initial response after an empty
// challenge to a server that accepts no initial response.
func (a Adapter) testDeferred(t *testing.T) {
	a.play(t, script(Success, clientSends("initial"), challenge("c"), clientSends("r"), success), false)
	a.play(t, script(Success, clientSends(""), success), false)
	// Success for a message that was never sent: for a mechanism that waits for the
	// server, and for a mechanism that is done after its message.
	a.succeedUnasked(t, script(sasl.ErrSecurity, clientSends("initial"), success))
	a.succeedUnasked(t, script(sasl.ErrSecurity, clientSends("initial")))
}

// succeedUnasked announces success before the deferred initial response.
func (a Adapter) succeedUnasked(t *testing.T, tr *Transcript) {
	a.converse(t, tr, func(s *server) error {
		if err := s.wire.Greet(mechanismName, false); err != nil {
			return err
		}
		if _, initial, err := s.wire.ReadInitiate(); err != nil || initial != nil {
			return errors.Join(err, errors.New("an initial response to a server that accepts none"))
		}
		if err := s.wire.Succeed(nil); err != nil {
			return err
		}
		return s.closedByClient()
	})
}

// testDeferredToChallenge tests that a client sends no initial response after a
// challenge that is not empty.
func (a Adapter) testDeferredToChallenge(t *testing.T) {
	a.converse(t, script(sasl.ErrProtocol, clientSends("initial"), success), func(s *server) error {
		if err := s.wire.Greet(mechanismName, false); err != nil {
			return err
		}
		if _, initial, err := s.wire.ReadInitiate(); err != nil || initial != nil {
			return errors.Join(err, errors.New("an initial response to a server that accepts none"))
		}
		if err := s.wire.Challenge([]byte("not empty")); err != nil {
			return err
		}
		response, aborted, err := s.wire.ReadResponse()
		if err != nil {
			return nil // closed
		}
		if !aborted {
			return errors.New("the client answered " + string(response))
		}
		return s.wire.Refuse(sasl.Aborted)
	})
}
