package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// TestClassOfRefusal shows that a mechanism's failure without a class takes the class
// of the refusal, that a failure with a class keeps its class, and that no refusal
// hides an ErrSecurity.
func TestClassOfRefusal(t *testing.T) {
	own := errors.New("the protocol's own")
	for name, row := range map[string]struct {
		failure error
		refusal sasl.Failure
		class   sasl.Class
	}{
		"no class":                   {errors.New("odd"), sasl.Failure{Condition: sasl.TemporaryAuthFailure, Err: own}, sasl.ErrTemporary},
		"no class, another refusal":  {errors.New("odd"), sasl.Failure{Condition: sasl.AccountDisabled, Err: own}, sasl.ErrAuthorization},
		"a class":                    {fmt.Errorf("%w: odd", sasl.ErrProtocol), sasl.Failure{Condition: sasl.TemporaryAuthFailure, Err: own}, sasl.ErrProtocol},
		"security":                   {sasl.ErrSecurity, sasl.Failure{Condition: sasl.NotAuthorized, Err: own}, sasl.ErrSecurity},
		"security, classed refusal":  {sasl.ErrSecurity, sasl.Failure{Condition: sasl.NotAuthorized, Err: fmt.Errorf("%w: %w", sasl.ErrAuthentication, own)}, sasl.ErrSecurity},
		"security, temporary":        {sasl.ErrSecurity, sasl.Failure{Class: sasl.ErrTemporary, Err: own}, sasl.ErrSecurity},
		"security behind a class":    {fmt.Errorf("%w: %w", sasl.ErrProtocol, sasl.ErrSecurity), sasl.Failure{Condition: sasl.NotAuthorized, Err: own}, sasl.ErrProtocol},
		"a refusal that has a class": {errors.New("odd"), sasl.Failure{Class: sasl.ErrSecurity, Err: own}, sasl.ErrSecurity},
	} {
		asked := false
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{failsLater{row.failure}, sasl.Plain(pencil)}, Retry: func(context.Context, error) *sasl.Client {
			asked = true
			return nil
		}}
		var conn closeCounter
		_, err := client.Drive(t.Context(), &conn, sasl.ServerInfo{Secure: true, Mechanisms: []string{"X-FAILS", "PLAIN"}}, func(s *sasl.Session) error {
			s.Start()
			s.Respond([]byte("anything")) // a library that loses the error
			return &row.refusal
		})
		security := errors.Is(err, sasl.ErrSecurity)
		if sasl.ClassOf(err) != row.class || asked == security || conn.closed > 0 != security {
			t.Errorf("%s: %v of class %s, asked %t, closed %d", name, err, sasl.ClassOf(err), asked, conn.closed)
		}
		var failure *sasl.Failure
		if !errors.As(err, &failure) || !errors.Is(failure, own) {
			t.Errorf("%s: the refusal is lost in %v", name, err)
		}
	}
}

// failsLater is a mechanism that fails at its second step.
type failsLater struct{ err error }

func (failsLater) Name() string                   { return "X-FAILS" }
func (m failsLater) New(sasl.Terms) sasl.Exchange { return &failsLaterExchange{err: m.err} }

type failsLaterExchange struct {
	err   error
	steps int
}

func (*failsLaterExchange) Identity() sasl.Identity { return sasl.Identity{} }

func (x *failsLaterExchange) Step(context.Context, []byte) ([]byte, bool, error) {
	if x.steps++; x.steps > 1 {
		return nil, false, x.err
	}
	return []byte("x"), false, nil
}

// stuck is a server that does not acknowledge an abort.
type stuck struct {
	*answering
	closed chan struct{}
}

func (s stuck) Abort(context.Context) error {
	<-s.closed
	return errors.New("closed")
}

func (s stuck) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}

// TestAbortIsBounded shows that the client waits two seconds for a server that does
// not acknowledge an abort, and that the reason for the abort is not lost.
func TestAbortIsBounded(t *testing.T) {
	conn := stuck{&answering{challenge: []byte("?")}, make(chan struct{})}
	done := make(chan error, 1)
	go func() {
		_, err := plainClient("secret").Authenticate(t.Context(), conn, plainServer)
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, sasl.ErrProtocol) || err.Error() != "protocol error: a challenge after the client's only message" {
			t.Error(err)
		}
	case <-time.After(stallFor):
		conn.Close()
		t.Error("the client waits for the acknowledgement")
	}
}
