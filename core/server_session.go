package sasl

import "context"

// ServerSession is one run of a server's mechanism. One goroutine uses a
// ServerSession.
type ServerSession struct {
	server     *Server
	conn       ConnInfo
	name       string
	properties Properties
	exchange   Exchange

	steps     int
	lastSent  bool  // the last message was sent as a challenge
	failsNext error // the outcome after the client's answer to a message that names the fault
	done      bool
	err       error
	reported  bool
}

// Begin starts a run of the mechanism that the client named. If Offer does not
// list the mechanism for the connection, the error is an ErrPolicy, or an ErrConfig if
// Validate reports a fault of the mechanism.
func (s *Server) Begin(_ context.Context, conn ConnInfo, mechanism string) (*ServerSession, error) {
	m, err := s.find(&conn, mechanism)
	return s.begin(conn, mechanism, m, err)
}

// Refuse reports an attempt that an adapter refuses before Begin, for example because
// the connection is not good enough, to Refused. Refuse returns the reason, which must
// not be nil; without a Class it counts as ErrTemporary.
func (s *Server) Refuse(conn ConnInfo, mechanism string, reason error) error {
	_, err := s.begin(conn, mechanism, nil, withClass(reason, ErrTemporary))
	return err
}

// begin starts a run. If there is an error, begin reports the error to
// Server.Refused.
func (s *Server) begin(conn ConnInfo, name string, m ServerMechanism, err error) (*ServerSession, error) {
	session := &ServerSession{server: s, conn: conn, name: name}
	if err != nil {
		session.report(err)
		return nil, err
	}
	session.properties = propertiesOf(m)
	session.exchange = m.New(s.terms(&session.conn))
	return session, nil
}

// Respond takes the client's message and returns the next challenge. On the first
// call, a nil message means that the client sent no initial response. A nil
// challenge means that there is no challenge. If done is true, the client is
// authenticated, and the challenge is the additional data for success, or nil if
// there is no such data.
//
// An error ends the run and is the reason for refusal. A mechanism may already
// have reported the reason to the client, in a challenge.
func (s *ServerSession) Respond(ctx context.Context, response []byte) (challenge []byte, done bool, err error) {
	if s.err == nil && s.done {
		s.err = protocolError("a response after the exchange was over")
	}
	if s.err != nil {
		return nil, false, s.err
	}
	challenge, err = s.respond(ctx, response)
	if err != nil {
		s.err, s.done = withClass(err, ErrProtocol), false
		s.report(s.err)
		return nil, false, s.err
	}
	return challenge, s.done, nil
}

func (s *ServerSession) respond(ctx context.Context, response []byte) ([]byte, error) {
	if s.steps++; s.steps > maxSteps {
		return nil, protocolError("the exchange is longer than %d steps", maxSteps)
	}
	switch {
	case len(response) > maxMessage:
		return nil, protocolError("a message of more than 64 KiB")
	case s.failsNext != nil:
		return nil, s.answered(ctx, response)
	case s.lastSent && len(response) > 0:
		return nil, protocolError("the response to the last challenge is not empty")
	case s.lastSent:
		s.done = true
		return nil, nil
	case response == nil && s.steps > 1:
		response = []byte{}
	}
	out, done, err := s.exchange.Step(ctx, response)
	switch {
	case err != nil && out != nil:
		s.failsNext = withClass(err, ErrProtocol)
		s.report(s.failsNext)
	case err != nil:
		return nil, err
	case done && out != nil && !s.server.SuccessData:
		s.lastSent = true
	default:
		s.done = done
	}
	return out, nil
}

// answered returns the outcome once the client has answered a message that told it
// of a failure. A mechanism may demand a certain answer: another is an ErrProtocol.
func (s *ServerSession) answered(ctx context.Context, response []byte) error {
	if response == nil {
		response = []byte{}
	}
	if _, _, err := s.exchange.Step(ctx, response); ClassOf(err) == ErrProtocol {
		return err
	}
	return s.failsNext
}

// Refuse ends the run for a reason of the adapter: the client aborts the exchange, or
// the authenticated user cannot have a session now. The client then counts as not
// authenticated. Refuse reports the reason to Server.Refused, unless the run already
// has a refusal, and returns the error of the run: the reason or, if Respond has
// returned an error, that error. The reason must not be nil; without a Class it counts
// as ErrTemporary.
func (s *ServerSession) Refuse(reason error) error {
	if s.err == nil {
		s.err, s.done = withClass(reason, ErrTemporary), false
		s.report(s.err)
	}
	return s.err
}

// report calls Server.Refused, once in a run.
func (s *ServerSession) report(reason error) {
	if s.server.Refused != nil && !s.reported {
		s.server.Refused(s.name, s.conn, reason)
	}
	s.reported = true
}

// Result describes the authentication. The Result is complete after Respond has
// returned done. Before that, the Result holds the facts that are known.
// RoundTrips counts the client's messages.
func (s *ServerSession) Result() Result {
	identity := s.exchange.Identity()
	return Result{
		Mechanism:  s.name,
		Binding:    boundTo(s.exchange, ""),
		Username:   identity.Username,
		Authzid:    identity.Authzid,
		RoundTrips: s.steps,
	}
}
