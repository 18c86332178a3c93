package sasl

import (
	"errors"
	"strings"
)

// conclude turns what a loop returned into the outcome of the run, and tells
// whether the connection is in sync. What the session knows comes first.
func (s *Session) conclude(loopErr error) (inSync bool, err error) {
	var refusal *Failure
	refused := errors.As(loopErr, &refusal) && (s.err == nil || !errors.Is(loopErr, s.err))
	if refused {
		refusal = s.scrub(refusal)
		s.answered = s.sent
		s.traceText(EventRefused, Printable(strings.TrimSpace(string(refusal.Condition)+" "+refusal.Text)))
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
		return false, cancelled(s.ctx, s.scrubError(loopErr))
	case refused:
		err = s.advise(refusal)
		return ClassOf(err) != ErrSecurity, err
	case !s.started:
		return true, withClass(loopErr, ErrConfig)
	default:
		return s.inSync, withClass(s.scrubError(loopErr), ErrConnection)
	}
	// The mechanism failed, by itself or because the server told it so.
	if told, ok := err.(*Failure); ok {
		err = s.advise(told)
	}
	if refused {
		err = &failedAndRefused{err, refusal}
	}
	inSync = ClassOf(err) != ErrSecurity && !s.finished && (refused || s.inSync || s.sent == 0)
	return inSync, err
}

// advise completes a refusal: its class, what the gs2 flag says about it, and
// what else could have been used.
func (s *Session) advise(refusal *Failure) error {
	f := *refusal
	unclassed := f.Class == ""
	if unclassed {
		f.Class = f.Condition.class()
	}
	var hint string
	_, gs2 := s.mechanism.(interface{ sendsGS2Flag() })
	switch {
	case !unclassed && f.Class != ErrSecurity: // SCRAM has words of its own for what is about the binding
	case s.terms.GS2Flag == 'p':
		hint = "; it was bound to " + s.terms.Binding.Type + ": somebody in between, or a type the server does not know (BindingTypes and DisableBinding change it), looks like this too"
	case s.terms.GS2Flag == 'y' && gs2:
		hint = "; a proxy that hides -PLUS looks like this too (DisableBinding allows for it)"
	}
	if hint != "" && unclassed && gs2 && f.Condition == MalformedRequest {
		// Servers that find the binding or the flag wrong say it so. HT-SHA-256
		// sends neither: there a wrong binding is a wrong MAC.
		f.Class = ErrSecurity
	}
	others := s.client
	if s.token != nil {
		others = others.withoutToken()
	}
	if rest := others.notTried(&s.terms.Server, s.Mechanism()); rest != "" && f.Class != ErrSecurity {
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

// failedAndRefused is the failure of a mechanism and the refusal that followed
// it. The class is that of the failure alone; the refusal is there for
// errors.As.
type failedAndRefused struct {
	error
	refusal *Failure
}

func (e *failedAndRefused) Error() string { return e.error.Error() + "; then " + e.refusal.Error() }
func (e *failedAndRefused) Unwrap() error { return e.error }

func (e *failedAndRefused) As(target any) bool {
	if failure, ok := target.(**Failure); ok {
		*failure = e.refusal
		return true
	}
	return e.refusal.Err != nil && errors.As(e.refusal.Err, target)
}
