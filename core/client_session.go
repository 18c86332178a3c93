package sasl

import (
	"context"
	"errors"
)

// Session is one run of a client's mechanism: the only state machine. One goroutine uses
// a Session. The loop must not change its messages: the Session compares them later.
type Session struct {
	ctx       context.Context // a Session is one operation
	selection *selection
	chosen    *candidate
	exchange  Exchange
	trace     tracer
	redactor  redactor
	// remember is called once the exchange has begun, and by a Finish that returns
	// nil, which is in the state finished; nil = no call.
	remember func(*Session)

	state    sessionState
	err      error // sticky; in state failing, the outcome that is already decided
	proved   bool  // the peer has proved everything that the mechanism requires
	steps    int
	sent     int    // messages returned to the loop for sending
	answered int    // sent messages that the server answered
	first    Secret // the first message, as long as the message may be sent again
}

// sessionState is the state of a Session.
type sessionState uint8

const (
	idle     sessionState = iota // not started
	running                      // messages go back and forth
	failing                      // failed, but one more message has to be sent
	finished                     // success was announced, and is true unless err is set
	failed                       // by an error before any success
)

// Mechanism returns the name of the selected mechanism.
func (s *Session) Mechanism() string { return s.chosen.name }

// ServerMaySpeakLast reports whether the run may end with a challenge that the
// client answers with an empty response, if success carries no data.
func (s *Session) ServerMaySpeakLast() bool {
	return !s.chosen.properties.SingleMessage && !s.selection.srv.SuccessData
}

// Repeats reports whether a text of the server repeats a secret that the run has
// sent. A loop asks before it shows a text that the Session has not seen.
func (s *Session) Repeats(text string) bool { return s.redactor.repeats(text) }

// Err returns the error of a run that has failed, also while the loop still has to
// send a last message; nil = the run has not failed.
func (s *Session) Err() error { return s.err }

// Start returns the mechanism's name and its initial response: nil = no initial
// response, which is not the same as an empty message.
func (s *Session) Start() (mechanism string, initial []byte, err error) {
	switch {
	case s.err != nil:
		return "", nil, s.err
	case s.state != idle:
		return "", nil, s.fail(configError("the Session has already started: begin a new Session"))
	}
	s.state = running
	if s.trace.on() {
		s.trace.text(EventSelected, s.selection.describe(s.chosen))
	}
	if initial, err = s.step(nil); err != nil {
		return "", nil, err
	}
	if s.remember != nil {
		s.remember(s)
	}
	s.send(EventInitiated, initial)
	return s.chosen.name, initial, nil
}

// SentInline reports that the loop sent the initial response, which is not nil,
// together with the name of the mechanism. If the server then asks for the message
// with an empty challenge, Respond returns the unread message once more.
func (s *Session) SentInline(initial []byte) {
	if initial != nil && s.mayRepeat() && s.chosen.properties.SingleMessage {
		s.first = NewSecret(initial)
	}
}

// mayRepeat reports whether the first message may be sent a second time.
func (s *Session) mayRepeat() bool {
	return s.chosen.properties.Repeatable && s.state == running && s.sent == 1
}

// Respond returns the response to a challenge. The response is never nil, unless
// there is an error. A nil challenge counts as an empty challenge.
func (s *Session) Respond(challenge []byte) (response []byte, err error) {
	switch {
	case s.state == failed, s.state == finished && s.err != nil:
		return nil, s.err
	case s.state == idle, s.state == finished:
		return nil, s.fail(protocolError("a challenge outside of the exchange"))
	}
	s.answered = s.sent
	if challenge == nil {
		challenge = []byte{}
	}
	s.trace.message(EventChallenge, challenge, &s.redactor)
	if s.state == failing {
		s.state = failed
		return nil, s.err
	}
	again := s.first.Bytes()
	s.first = Secret{}
	if again != nil && len(challenge) == 0 {
		s.send(EventResponse, again)
		return again, nil
	}
	if response, err = s.step(challenge); err != nil {
		return nil, err
	}
	if response == nil {
		response = []byte{}
	}
	s.send(EventResponse, response)
	return response, nil
}

// Finish reports that the server announces success, with the additional data of
// the announcement, or nil if there is no such data. The client is authenticated
// only if Finish returns nil. Success with data is the same as a last challenge
// with that data, an empty response and success (RFC 4422 s3.6).
func (s *Session) Finish(additional []byte) error {
	err := s.finish(additional)
	if err == nil && s.remember != nil {
		s.remember(s)
	}
	return err
}

func (s *Session) finish(additional []byte) error {
	was := s.state
	switch {
	case was == failed, was == finished && s.err != nil:
		return s.err
	case was == idle, was == finished:
		return s.fail(protocolError("success outside of the exchange"))
	}
	s.state = finished
	s.answered = s.sent
	s.trace.message(EventSuccess, additional, &s.redactor)
	switch {
	case was == failing:
		return s.fail(securityError("the server announced success after the exchange had failed: %v", s.err))
	case len(additional) > 0:
		return s.finishWith(additional)
	case !s.proved:
		return s.fail(securityError("the server announced success before the server proved everything that %s demands", s.chosen.name))
	}
	return nil
}

func (s *Session) finishWith(additional []byte) error {
	response, err := s.step(additional)
	switch class := ClassOf(err); {
	case class == ErrAuthentication || class == ErrAuthorization || class == ErrTemporary:
		// The data of the success says that the server refuses.
		s.err = securityError("the server announced success and refused at once: %v", err)
		return s.err
	case err != nil:
		return err
	case !s.proved || s.err != nil || len(response) > 0:
		return s.fail(securityError("the server announced success before the server proved everything that %s demands", s.chosen.name))
	}
	return nil
}

// step runs the exchange within the limits on the messages of both sides. If the
// exchange has failed and has a message to send, step returns it and is failing.
func (s *Session) step(in []byte) ([]byte, error) {
	if len(in) > maxMessage {
		return nil, s.fail(protocolError("a message of more than 64 KiB"))
	}
	if s.steps++; s.steps > maxSteps {
		return nil, s.fail(protocolError("the exchange is longer than %d steps", maxSteps))
	}
	out, done, err := s.exchange.Step(s.ctx, in)
	if done && err == nil {
		if err = s.chosen.verify(s.exchange, s.selection.channel.policy); err != nil {
			return nil, s.fail(err)
		}
	}
	s.proved = done && err == nil
	switch most := s.selection.srv.MaxMessage; {
	case most > 0 && len(out) > most:
		return nil, s.fail(configError("a message of %s is too long: it has %d octets, and this connection carries at most %d; use a shorter token or password", s.chosen.name, len(out), most))
	case err == nil:
		return out, nil
	case out != nil && s.state == running:
		s.state, s.err = failing, s.classify(err)
		return out, nil
	case out != nil: // it came with success
		return nil, s.fail(securityError("the server announced success and refused at once: %v", s.classify(err)))
	}
	return nil, s.fail(err)
}

// send records a message that the loop sends.
func (s *Session) send(kind EventKind, message []byte) {
	s.trace.message(kind, message, &s.redactor)
	s.redactor.sent(message)
	s.sent++
}

// sendAgain records that the loop sends the first message again, after the server
// has refused the message unread.
func (s *Session) sendAgain(unread *Failure, initial []byte) {
	s.answered = s.sent
	s.trace.refused(s.redactor.scrub(unread))
	s.send(EventInitiated, initial)
}

// fail makes err the outcome of the session.
func (s *Session) fail(err error) error {
	s.err, s.proved = s.classify(err), false
	if s.state != finished {
		s.state = failed
	}
	return s.err
}

// classify gives an error of a mechanism a class, and scrubs an error in the
// server's words.
func (s *Session) classify(err error) error {
	switch own := err.(type) {
	case *Failure:
		return s.redactor.scrub(own)
	case *ownError, *scramFault:
		return err
	}
	ended := s.ctx.Err() != nil && errors.Is(err, s.ctx.Err())
	err = s.redactor.scrubError(err)
	switch {
	case ended:
		return withClass(err, ErrConnection)
	case ClassOf(err) == "":
		return &unclassed{err}
	}
	return err
}
