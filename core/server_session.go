package sasl

import "context"

// ServerSession is one run of a server's mechanism. It is used by one
// goroutine.
type ServerSession struct {
	server     *Server
	conn       ConnInfo
	name       string
	properties Properties
	exchange   Exchange

	steps    int
	confirm  bool  // the last message is out as a challenge
	doomed   error // the outcome once the client has answered the message that tells it
	done     bool
	err      error
	reported bool
}

// Begin starts a run of the mechanism that the client named. One that Offer does
// not list for the connection is ErrPolicy.
func (s *Server) Begin(_ context.Context, conn ConnInfo, mechanism string) (*ServerSession, error) {
	m, err := s.find(&conn, mechanism)
	return s.begin(conn, mechanism, m, err)
}

// begin starts a run, or tells the server's owner why there is none.
func (s *Server) begin(conn ConnInfo, name string, m ServerMechanism, err error) (*ServerSession, error) {
	session := &ServerSession{server: s, conn: conn, name: name}
	if err != nil {
		session.refused(err)
		return nil, err
	}
	session.properties = propertiesOf(m)
	session.exchange = m.New(s.terms(conn))
	return session, nil
}

// Respond takes the client's message and returns the next challenge; nil means
// that there is none and, on the first call, that the client sent no initial
// response. With done, the client is authenticated and the challenge is the
// additional data for success, nil if there is none.
//
// An error ends the run and is the reason for refusal. A mechanism may have
// told the client already, in a challenge.
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
		s.refused(s.err)
		return nil, false, s.err
	}
	return challenge, s.done, nil
}

func (s *ServerSession) respond(ctx context.Context, response []byte) ([]byte, error) {
	if s.steps++; s.steps > maxSteps {
		return nil, protocolError("the exchange is longer than %d steps", maxSteps)
	}
	switch {
	case s.doomed != nil:
		return nil, s.doomed
	case len(response) > maxMessage:
		return nil, protocolError("a message of more than 64 KiB")
	case s.confirm && len(response) > 0:
		return nil, protocolError("the response to the last challenge is not empty")
	case s.confirm:
		s.done = true
		return nil, nil
	case response == nil && s.steps > 1:
		response = []byte{}
	}
	out, done, err := s.exchange.Step(ctx, response)
	switch {
	case err != nil && out != nil:
		s.doomed = withClass(err, ErrProtocol)
		s.refused(s.doomed)
	case err != nil:
		return nil, err
	case done && out != nil && !s.server.SuccessData:
		s.confirm = true
	default:
		s.done = done
	}
	return out, nil
}

// refused tells the server's owner, once.
func (s *ServerSession) refused(reason error) {
	if s.server.Refused != nil && !s.reported {
		s.server.Refused(s.name, s.conn, reason)
	}
	s.reported = true
}

// Result describes the authentication. It is complete once Respond has returned
// done; before that it has what is known. RoundTrips counts the client's
// messages.
func (s *ServerSession) Result() Result {
	identity := s.exchange.Identity()
	result := Result{
		Mechanism:  s.name,
		Username:   identity.Username,
		Authzid:    identity.Authzid,
		RoundTrips: s.steps,
	}
	if bound, ok := s.exchange.(interface{ BoundTo() string }); ok {
		result.Binding = bound.BoundTo()
	}
	return result
}
