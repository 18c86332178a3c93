package sasl

import (
	"context"
	"errors"
	"io"
)

// renewal is the one request for other credentials that an operation may make.
type renewal struct{ done bool }

// renew asks the mechanism of a run that the server has refused for other
// credentials, once in an operation. It returns nil if one more run of the
// mechanism follows, else the error of the run, with the reason why none does.
func (r *renewal) renew(ctx context.Context, s *Session, conn io.Closer, failed error) error {
	x, ok := s.exchange.(interface {
		Renew(context.Context) (Mechanism, error)
	})
	if !ok || r.done || ctx.Err() != nil || ClassOf(failed) != ErrAuthentication || asFailure(failed) == nil {
		return failed
	}
	r.done = true
	again, err := x.Renew(ctx)
	switch {
	case err != nil:
		return notRenewed(s, conn, failed, err)
	case again == nil:
		return failed
	case again.Name() != s.chosen.name:
		return notRenewed(s, conn, failed, configError("%s was renewed as another mechanism, %q", s.chosen.name, Printable(again.Name())))
	}
	s.chosen.mechanism = again // the policy was asked about the mechanism, not about its credentials
	return nil
}

// notRenewed adds to the error of a refused run why there is no second one.
func notRenewed(s *Session, conn io.Closer, failed, reason error) error {
	reason = s.redactor.scrubError(reason)
	if errors.Is(reason, ErrSecurity) {
		conn.Close()
		return classed(ErrSecurity, "no second attempt: %w (%v)", reason, failed)
	}
	e := &LoginError{Err: &refusedOnly{failed, reason}, ByServer: true}
	var advised *LoginError
	if errors.As(failed, &advised) {
		*e = *advised
		e.Err = &refusedOnly{advised.Err, reason}
	}
	return e
}

// refusedOnly is a refusal that no second run followed, and why. The class is that
// of the refusal, which is looked at first.
type refusedOnly struct {
	error
	reason error
}

func (e *refusedOnly) Error() string {
	return e.error.Error() + "; no second attempt: " + e.reason.Error()
}

func (e *refusedOnly) Unwrap() error { return e.error }

func (e *refusedOnly) Is(target error) bool {
	_, isClass := target.(Class)
	return !isClass && errors.Is(e.reason, target)
}

func (e *refusedOnly) As(target any) bool {
	return errors.As(e.error, target) || errors.As(e.reason, target)
}
