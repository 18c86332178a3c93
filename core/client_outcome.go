package sasl

import (
	"errors"
	"io"
	"slices"
)

// conclude turns the error of a loop into the outcome of the run, and reports
// whether the connection is in sync. The session's own error outranks the loop's
// error. aborted reports that the loop has cancelled the exchange.
func (s *Session) conclude(loopErr error, aborted bool) (inSync bool, err error) {
	refusal := asFailure(loopErr)
	if s.err != nil && errors.Is(loopErr, s.err) {
		refusal = nil // the session's own
	}
	refused := refusal != nil
	if refused {
		refusal = s.redactor.scrub(refusal)
		if errors.Is(loopErr, ErrSecurity) && !errors.Is(refusal, ErrSecurity) {
			suspicious := *refusal // with the class of the error that wraps the refusal
			suspicious.Class = ErrSecurity
			refusal = &suspicious
		}
		s.answered = s.sent
		s.trace.refused(refusal)
	}
	switch {
	case loopErr == nil && s.state != finished && s.state != failed:
		return false, s.Finish(nil)
	case s.err != nil:
		return s.concludeFailure(loopErr, refusal, aborted)
	case loopErr == nil:
		return true, nil
	case s.ctx.Err() != nil:
		return false, cancelled(s.ctx, s.redactor.scrubError(loopErr))
	case refused:
		err = s.advise(refusal)
		return !errors.Is(err, ErrSecurity) && inSyncAfter(loopErr), err
	case s.state == idle:
		return true, withClass(loopErr, ErrConfig)
	default:
		return aborted, withClass(s.redactor.scrubError(loopErr), ErrConnection)
	}
}

// noNilFailure replaces a nil *Failure inside an error by an error of its own: a nil
// *Failure is not a refusal and has no text.
func noNilFailure(err error) error {
	var f *Failure
	if err != nil && errors.As(err, &f) && f == nil {
		return configError("the loop returned a nil *Failure as an error; return nil, or a *Failure with a Condition")
	}
	return err
}

// asFailure returns the refusal in an error; nil if the error contains no refusal.
func asFailure(err error) *Failure {
	if err == nil { // a login that succeeds allocates nothing here
		return nil
	}
	var f *Failure
	errors.As(err, &f)
	return f
}

// concludeFailure returns the outcome of a run in which the mechanism failed,
// by itself or because of a server's message that reports a failure.
func (s *Session) concludeFailure(loopErr error, refusal *Failure, aborted bool) (inSync bool, err error) {
	refused := refusal != nil
	advice := &LoginError{Err: s.err}
	switch own := s.err.(type) {
	case *Failure: // the server's words
		advice = s.advise(own)
	case *unclassed:
		if refused {
			advice = s.advise(refusal)
			advice.Err = withClass(own.error, ClassOf(advice.Err))
		}
	default:
		advice.Hints = slices.DeleteFunc(s.mechanismHints(), func(h Hint) bool {
			return h == HintPreparation && ClassOf(s.err) != ErrConfig // the password was usable
		})
	}
	if refused {
		advice.Err = &failedAndRefused{advice.Err, s.advise(refusal).Err, errors.Is(refusal, ErrSecurity)}
		advice.ByServer = true
	}
	err = advice
	if len(advice.Hints) == 0 && !advice.ByServer {
		err = advice.Err
	}
	inSync = !errors.Is(err, ErrSecurity) && s.state != finished && (refused && inSyncAfter(loopErr) || aborted || s.sent == 0)
	return inSync, err
}

// inSyncAfter reports whether a loop that returned a refusal left the connection
// in sync. If an error with another class wraps the refusal, the connection is not
// in sync.
func inSyncAfter(loopErr error) bool {
	class := ClassOf(loopErr)
	return class == ClassOf(asFailure(loopErr)) && !errors.Is(loopErr, ErrConnection)
}

// Result describes the authentication. The Result is complete after Finish has
// returned nil. Before that, the Result holds the facts that are known.
func (s *Session) Result() Result {
	identity := s.exchange.Identity()
	result := Result{
		Mechanism:  s.chosen.name,
		Binding:    boundTo(s.exchange, s.chosen.binding.Type),
		Username:   identity.Username,
		Authzid:    identity.Authzid,
		RoundTrips: s.answered,
	}
	result.BindingUnconfirmed = result.Binding != "" && s.chosen.unconfirmed()
	if layer := s.Layer(); layer != nil {
		result.Layer = layer.Strength()
	}
	return result
}

// Layer returns the security layer of the run, which the loop puts onto the
// connection; nil = no layer, or Finish has not returned nil. Authenticate passes
// the layer to its LayerInterface.
func (s *Session) Layer() Layer {
	if s.state != finished || s.err != nil {
		return nil
	}
	return layerOf(s.exchange)
}

// install passes the layer of a verified run to the connection.
func (s *Session) install(conn io.Closer) {
	layer := s.Layer()
	if layer != nil {
		s.trace.text(EventLayer, string(layer.Strength()))
	}
	if carrier, ok := conn.(LayerInterface); ok {
		carrier.InstallLayer(layer)
	}
}

// advise completes a refusal with its class, the possible causes, and the other
// mechanisms.
func (s *Session) advise(refusal *Failure) *LoginError {
	f := *refusal
	byMechanism := f.Class != "" // the mechanism's own message has the class
	if !byMechanism {
		f.Class = s.classOf(f.Condition)
	}
	advice := &LoginError{
		Err:        &f,
		Hints:      hintsFor(&f, byMechanism, s.chosen, s.proved, s.mechanismHints()),
		PassedOver: s.selection.passedOver(true),
		ByServer:   true,
	}
	if f.Class == ErrPolicy && s.chosen.properties.Layers && s.selection.srv.CarriesLayer {
		advice.Hints = append(advice.Hints, HintLayer)
	}
	if f.Class != ErrSecurity {
		advice.NotTried = s.selection.notTried(s.chosen)
	}
	return advice
}

// classOf returns the class of a condition in this run.
func (s *Session) classOf(condition Condition) Class {
	properties := &s.chosen.properties
	switch {
	case condition == MalformedRequest && properties.SendsGS2Flag && s.chosen.flag != 'n' && !(s.proved && properties.ProvesServer):
		// Servers report a wrong binding or a wrong flag with this condition.
		// HT-SHA-256 sends neither: its wrong binding shows as a wrong MAC.
		return ErrSecurity
	case condition == MechanismTooWeak && s.selection.srv.Secure && s.redactor.handedOver() && !properties.KeepsSecret:
		return ErrAuthentication // the server wants other credentials
	}
	return condition.class()
}

// hintsFor returns the possible causes of a refusal. Each hint is true for some
// server, and the run has not excluded the hint: a server that has proved its
// identity knew the password and the binding. byMechanism reports that the
// mechanism's own message has the class.
func hintsFor(f *Failure, byMechanism bool, c *candidate, proved bool, own []Hint) (hints []Hint) {
	if proved && c.properties.ProvesServer {
		return nil
	}
	vague := f.Condition == NotAuthorized || !f.Condition.known()
	if f.Class == ErrAuthentication && f.Condition == MechanismTooWeak {
		return []Hint{HintOtherCredentials}
	}
	if f.Class == ErrAuthentication && vague && c.properties.UsesPassword {
		hints = append(hints, HintPassword)
		if slices.Contains(own, HintPreparation) {
			hints = append(hints, HintPreparation)
		}
	}
	for _, hint := range []Hint{HintToken, HintServiceKey, HintClock} {
		if f.Class == ErrAuthentication && slices.Contains(own, hint) {
			hints = append(hints, hint)
		}
	}
	// SCRAM has server-error-values of its own for a wrong binding.
	if byMechanism && f.Class != ErrSecurity || !byMechanism && !vague && f.Condition != MalformedRequest {
		return hints
	}
	switch {
	case c.flag == 'p':
		hints = append(hints, HintBinding)
	case c.flag == 'y' && c.properties.SendsGS2Flag:
		hints = append(hints, HintProxy)
	}
	return hints
}

// mechanismHints returns the hints of the mechanism itself.
func (s *Session) mechanismHints() []Hint {
	if x, ok := s.exchange.(interface{ Hints() []Hint }); ok {
		return x.Hints()
	}
	return nil
}

// failedAndRefused is the failure of a mechanism together with the refusal that
// followed. The class is the class of the failure alone; errors.As finds the
// refusal. suspicious reports that the refusal itself is an ErrSecurity, which
// errors.Is then finds too.
type failedAndRefused struct {
	error
	refusal    error
	suspicious bool
}

func (e *failedAndRefused) Error() string { return e.error.Error() + "; then " + e.refusal.Error() }
func (e *failedAndRefused) Unwrap() error { return e.error }

func (e *failedAndRefused) Is(target error) bool { return e.suspicious && target == ErrSecurity }

func (e *failedAndRefused) As(target any) bool {
	if _, ok := target.(*Class); ok { // a refusal hides no ErrSecurity
		return false
	}
	return errors.As(e.refusal, target)
}
