package sasl

import (
	"errors"
	"fmt"
	"strings"
)

// conclude turns what a loop returned into the outcome of the run, and tells
// whether the connection is in sync.
func (s *Session) conclude(loopErr error) (inSync bool, err error) {
	if inSync, err = s.outcome(loopErr); err != nil {
		err = s.withhold(err)
	}
	return inSync, err
}

// outcome puts what the session knows before what the loop returned.
func (s *Session) outcome(loopErr error) (inSync bool, err error) {
	var refusal *Failure
	refused := errors.As(loopErr, &refusal) && (s.err == nil || !errors.Is(loopErr, s.err))
	if refused {
		s.answered = s.sent
		s.traceText(EventRefused, printable(strings.TrimSpace(string(refusal.Condition)+" "+refusal.Text)))
	}
	switch {
	case loopErr == nil && !s.finished && s.err == nil:
		return false, s.Finish(nil)
	case s.err != nil:
		err = s.err
	case s.doomed != nil:
		err = s.doomed
	case loopErr == nil:
		return true, nil
	case s.ctx.Err() != nil:
		return false, cancelled(s.ctx, loopErr)
	case refused:
		err = s.refusedWith(refusal)
		return ClassOf(err) != ErrSecurity, err
	case !s.started:
		return true, withClass(loopErr, ErrConfig)
	default:
		return s.inSync, withClass(loopErr, ErrConnection)
	}
	if refused {
		err = fmt.Errorf("%w; the server: %w", err, loopErr)
	}
	inSync = ClassOf(err) != ErrSecurity && !s.finished && (refused || s.inSync || s.sent == 0)
	return inSync, err
}

// refusedWith completes the server's refusal: its class, what the gs2 flag
// says about it, and what else could have been used.
func (s *Session) refusedWith(refusal *Failure) error {
	f := *refusal
	if f.Class == "" {
		f.Class = f.Condition.class()
	}
	var hint string
	switch _, gs2 := s.mechanism.(interface{ sendsGS2Flag() }); {
	case s.terms.GS2Flag == 'p':
		hint = "; it was bound to " + s.terms.Binding.Type + ": somebody in between, or a type the server does not know (BindingTypes and DisableBinding change it), looks like this too"
	case s.terms.GS2Flag == 'y' && gs2:
		hint = "; a proxy that hides -PLUS looks like this too (DisableBinding allows for it)"
	}
	if hint != "" && f.Condition == MalformedRequest {
		// Servers that find the binding or the flag wrong say it so.
		f.Class = ErrSecurity
	}
	if rest := s.client.notTried(&s.terms.Server, s.Mechanism()); rest != "" && f.Class != ErrSecurity {
		hint += "; not tried: " + rest
	}
	return &refusalError{&f, hint}
}

// refusalError is a Failure with advice. It is kept apart so that Text stays
// what the server said.
type refusalError struct {
	failure *Failure
	hint    string
}

func (e *refusalError) Error() string { return e.failure.Error() + e.hint }
func (e *refusalError) Unwrap() error { return e.failure }
