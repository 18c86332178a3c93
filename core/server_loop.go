package sasl

import "context"

// ServerLoop is a run in the form that several server libraries use. Such a
// library calls Next with each response of the client until the run is done.
type ServerLoop struct {
	ctx       context.Context // a ServerLoop is one operation
	session   *ServerSession
	onSuccess func(Result) error
	refusal   func(reason error) error
}

// Loop begins a run. After the client is authenticated, the run calls onSuccess;
// an error of onSuccess refuses the client (ServerSession.Refuse). Refusal translates the reason for a
// refusal into the error that the library sends to the client. Loop itself also
// calls refusal, if the run cannot begin.
func (s *Server) Loop(ctx context.Context, conn ConnInfo, mechanism string, onSuccess func(Result) error, refusal func(reason error) error) (*ServerLoop, error) {
	session, err := s.Begin(ctx, conn, mechanism)
	if err != nil {
		return nil, refusal(err)
	}
	return &ServerLoop{ctx, session, onSuccess, refusal}, nil
}

// Next takes the client's message, which is nil if the client sent no initial
// response, and returns the next challenge. Next returns nil for an empty
// challenge, because some libraries send an empty slice that is not nil as "=".
func (l *ServerLoop) Next(response []byte) (challenge []byte, done bool, err error) {
	challenge, done, err = l.session.Respond(l.ctx, response)
	if err == nil && done {
		if err = l.onSuccess(l.session.Result()); err != nil {
			err = l.session.Refuse(err)
		}
	}
	if err != nil {
		return nil, false, l.refusal(err)
	}
	if len(challenge) == 0 {
		challenge = nil
	}
	return challenge, done, nil
}
