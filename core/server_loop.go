package sasl

import "context"

// ServerLoop is a run in the form that the servers of several libraries drive:
// Next, with each response of the client, until it is done.
type ServerLoop struct {
	ctx     context.Context // a ServerLoop is one operation
	session *ServerSession
	login   func(Result) error
	refusal func(reason error) error
}

// Loop begins a run. Login is called once the client is authenticated; its
// error refuses it. Refusal turns a reason for refusal, also one for which
// nothing is begun, into the error that the library sends to the client.
func (s *Server) Loop(ctx context.Context, conn ConnInfo, mechanism string, login func(Result) error, refusal func(reason error) error) (*ServerLoop, error) {
	session, err := s.Begin(ctx, conn, mechanism)
	if err != nil {
		return nil, refusal(err)
	}
	return &ServerLoop{ctx, session, login, refusal}, nil
}

// Next takes the client's message, nil if it sent no initial response, and
// returns the next challenge. An empty one is nil, because some libraries send
// an empty one of another kind as "=".
func (l *ServerLoop) Next(response []byte) (challenge []byte, done bool, err error) {
	challenge, done, err = l.session.Respond(l.ctx, response)
	if err == nil && done {
		err = l.login(l.session.Result())
	}
	if err != nil {
		return nil, false, l.refusal(err)
	}
	if len(challenge) == 0 {
		challenge = nil
	}
	return challenge, done, nil
}
