package saslsmtp

import (
	"fmt"
	"io"

	sasl "github.com/saslkit/saslkit/core"
)

// loop is a Session in the form that libraries with a loop of their own drive:
// Start once, Next for each 334. It sends an initial response that makes the
// line too long when the server asks for it. It is not exported: the loops do
// not all see success, and who makes one decides about that.
type loop struct {
	session   *sasl.Session
	mechanism string
	pending   []byte // an initial response that waits; nil if there is none
	inline    []byte // one that went on the line, until the server answers with a challenge; nil if there is none
	response  int    // octets of the last response
	// dropsEmpty says that the library sends nothing for an empty initial
	// response, so that it has to wait too.
	dropsEmpty bool
	// giveUp, if set, ends the connection after an error, for which the library
	// would first wait for the server to take an abort.
	giveUp io.Closer
}

// Start returns the mechanism and what goes on the line of the AUTH command.
// The second time, for a server that found the line too long, nothing does.
func (l *loop) Start() (mechanism string, initial []byte, err error) {
	if l.inline != nil {
		l.pending, l.inline = l.inline, nil
		return l.mechanism, nil, nil
	}
	mechanism, initial, err = l.session.Start()
	if err != nil || initial == nil {
		return mechanism, nil, err
	}
	if _, deferred := authLine(mechanism, initial); deferred || l.dropsEmpty && len(initial) == 0 {
		l.pending = initial
		return mechanism, nil, nil
	}
	l.mechanism, l.inline = mechanism, initial
	return mechanism, initial, nil
}

// Next returns the response to a challenge. It is never nil.
func (l *loop) Next(challenge []byte) (response []byte, err error) {
	if l.inline != nil {
		// Not in Start: a message that was too long for the line goes out once more
		// by itself, and must not go out a third time.
		l.session.SentInline(l.inline)
		l.inline = nil
	}
	switch {
	case l.pending == nil:
		response, err = l.session.Respond(challenge)
	case len(challenge) > 0:
		err = fmt.Errorf("%w: the server sent a challenge where it must ask for the initial response", sasl.ErrProtocol)
	default:
		response, l.pending = l.pending, nil
	}
	if err != nil && l.giveUp != nil {
		l.giveUp.Close()
	}
	l.response = len(response)
	return response, err
}

// delivered is for when the server announced success: an error if it did not
// even have the first message.
func (l *loop) delivered() error {
	if l.pending != nil {
		return fmt.Errorf("%w: the server announced success before it had our first message", sasl.ErrSecurity)
	}
	return nil
}
