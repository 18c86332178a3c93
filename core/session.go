package sasl

import (
	"context"
	"errors"
)

// Session is one run of a client's mechanism: the only state machine. It is
// used by one goroutine.
type Session struct {
	ctx       context.Context // a Session is one operation
	client    *Client
	mechanism Mechanism
	terms     Terms
	exchange  Exchange
	token     *Token       // that the run logs in with; nil = none
	wanted    string       // the mechanism to ask for a token for; "" = none
	issued    *IssuedToken // what came with success

	started  bool
	finished bool // success was announced, and believed or not
	inSync   bool // after err: the exchange was aborted and the connection serves on
	done     bool // the peer has proved all the mechanism requires
	doomed   error
	err      error
	steps    int
	sent     int // messages handed out to be sent
	answered int // of those, how many the server answered
}

// Mechanism returns the name of the mechanism that was selected.
func (s *Session) Mechanism() string { return s.mechanism.Name() }

// ServerMaySpeakLast tells whether the run may end with a challenge that the
// client answers with an empty response, where success carries no data.
func (s *Session) ServerMaySpeakLast() bool {
	_, ok := s.mechanism.(interface{ clientHasLastWord() })
	return !ok && !s.terms.Server.SuccessData
}

// Start returns the mechanism's name and its initial response: nil if it has
// none, empty if it is empty.
func (s *Session) Start() (mechanism string, initial []byte, err error) {
	if s.started {
		return "", nil, s.fail(configError("a Session starts only once"))
	}
	s.started = true
	s.traceChoice()
	initial, err = s.step(nil)
	if err != nil {
		return "", nil, err
	}
	s.trace(EventInitiated, initial)
	s.sent++
	return s.mechanism.Name(), initial, nil
}

// Respond returns the response to a challenge. It is never nil. A nil
// challenge counts as an empty one.
func (s *Session) Respond(challenge []byte) (response []byte, err error) {
	if s.err != nil {
		return nil, s.err
	}
	if !s.started || s.finished {
		return nil, s.fail(protocolError("a challenge outside of the exchange"))
	}
	s.answered = s.sent
	if challenge == nil {
		challenge = []byte{}
	}
	s.trace(EventChallenge, challenge)
	if s.doomed != nil {
		return nil, s.fail(s.doomed)
	}
	response, err = s.step(challenge)
	if err != nil {
		return nil, err
	}
	if response == nil {
		response = []byte{}
	}
	s.trace(EventResponse, response)
	s.sent++
	return response, nil
}

// Finish is called when the server announces success, with the additional
// data that came with it: nil if none did. The client is authenticated only if
// it returns nil. Success with data is the same as a last challenge with that
// data, an empty response and success (RFC 4422 s3.6).
func (s *Session) Finish(additional []byte) error {
	if s.err != nil {
		return s.err
	}
	if !s.started || s.finished {
		return s.fail(protocolError("success outside of the exchange"))
	}
	s.finished = true
	s.answered = s.sent
	s.trace(EventSuccess, additional)
	switch {
	case s.doomed != nil:
		return s.fail(securityError("the server announced success after the exchange had failed: %v", s.doomed))
	case len(additional) > 0:
		return s.finishWith(additional)
	case !s.done:
		return s.fail(securityError("the server announced success before %s proved it", s.mechanism.Name()))
	}
	return nil
}

func (s *Session) finishWith(additional []byte) error {
	response, err := s.step(additional)
	switch class := ClassOf(err); {
	case class == ErrAuthentication || class == ErrAuthorization || class == ErrTemporary:
		// Success whose data says that it is none.
		s.err = securityError("the server announced success and refused at once: %v", err)
		return s.err
	case err != nil:
		return err
	case !s.done || s.doomed != nil || len(response) > 0:
		return s.fail(securityError("the server announced success before %s proved it", s.mechanism.Name()))
	}
	return nil
}

// Result tells how the client authenticated. It is valid after Finish
// returned nil.
func (s *Session) Result() Result {
	identity := s.exchange.Identity()
	return Result{
		Mechanism:  s.mechanism.Name(),
		Binding:    s.terms.Binding.Type,
		Username:   identity.Username,
		Authzid:    identity.Authzid,
		RoundTrips: s.answered,
	}
}

// step runs the exchange within the bounds. Where it has a message to send
// and has failed, the message is returned and the session doomed.
func (s *Session) step(in []byte) ([]byte, error) {
	if len(in) > maxMessage {
		return nil, s.fail(protocolError("a message of more than 64 KiB"))
	}
	if s.steps++; s.steps > maxSteps {
		return nil, s.fail(protocolError("the exchange is longer than %d steps", maxSteps))
	}
	out, done, err := s.exchange.Step(s.ctx, in)
	s.done = done && err == nil
	switch {
	case err == nil:
		return out, nil
	case out != nil:
		s.doomed = s.classify(err)
		return out, nil
	}
	return nil, s.fail(err)
}

// fail makes err the outcome of the session.
func (s *Session) fail(err error) error {
	s.err, s.done = s.classify(err), false
	return s.err
}

// classify gives an error of a mechanism a class, and scrubs one that is in the
// server's words.
func (s *Session) classify(err error) error {
	if told, ok := err.(*Failure); ok {
		return s.scrub(told)
	}
	if s.ctx.Err() != nil && errors.Is(err, s.ctx.Err()) {
		return withClass(err, ErrConnection)
	}
	return withClass(err, ErrProtocol)
}

// converse is the loop: it runs the session over an Interface.
func (s *Session) converse(conn Interface) error {
	mechanism, initial, err := s.Start()
	if err != nil {
		return err
	}
	if tokens, ok := conn.(TokenInterface); ok {
		tokens.Tokens(s.tokenRequest())
	}
	reply, err := conn.Initiate(s.ctx, mechanism, initial)
	for err == nil && !reply.Done {
		var response []byte
		if response, err = s.Respond(reply.Data); err != nil {
			s.abort(conn, err)
			return err
		}
		reply, err = conn.Respond(s.ctx, response)
	}
	if err == nil {
		s.issued = reply.Token
		return s.Finish(reply.Data)
	}
	if ClassOf(err) == ErrProtocol && !errors.As(err, new(*Failure)) {
		s.abort(conn, err)
	}
	return err
}

// abort cancels the exchange, if what ended it leaves a connection to go on
// with.
func (s *Session) abort(conn Interface, cause error) {
	if ClassOf(cause) == ErrSecurity || s.ctx.Err() != nil {
		return
	}
	s.traceText(EventAborted, "")
	s.inSync = conn.Abort(s.ctx) == nil
}
