package saslsmtp

import (
	"io"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// loop is a Session in the form that libraries with a loop of their own drive:
// Start once, Next for each 334. An initial response that makes the line too long
// waits until the server asks for it. The type is not exported, because not every
// loop sees success; the code that makes a loop decides about that.
type loop struct {
	session   *sasl.Session
	mechanism string
	waiting   transport.Deferral
	inline    []byte // the initial response that went on the line, until the server answers with a challenge; nil = none
	// dropsEmpty is set for a library that sends nothing for an empty initial
	// response, so an empty one has to wait too.
	dropsEmpty bool
	// giveUp is closed after an error, for which the library would first send an
	// abort and wait for its answer; nil = nothing is.
	giveUp io.Closer
	// whole returns an error if the library has not read the whole challenge; nil =
	// the library always has.
	whole func() error
}

// Start returns the mechanism and the initial response for the line of the AUTH
// command. The second time, for a server that found the line too long, there is
// none on the line.
func (l *loop) Start() (mechanism string, initial []byte, err error) {
	if l.inline != nil {
		l.waiting, l.inline = transport.Defer(l.inline), nil
		return l.mechanism, nil, nil
	}
	mechanism, initial, err = l.session.Start()
	if initial == nil { // or there is an error
		return mechanism, nil, err
	}
	if _, deferred := authLine(mechanism, initial); deferred || l.dropsEmpty && len(initial) == 0 {
		l.waiting = transport.Defer(initial)
		return mechanism, nil, nil
	}
	l.mechanism, l.inline = mechanism, initial
	return mechanism, initial, nil
}

// Next returns the response to a challenge. It is never nil.
func (l *loop) Next(challenge []byte) (response []byte, err error) {
	if l.whole != nil {
		err = l.whole()
	}
	if err == nil {
		response, err = l.respond(challenge)
	}
	if err != nil && l.giveUp != nil {
		l.giveUp.Close()
	}
	return response, err
}

func (l *loop) respond(challenge []byte) ([]byte, error) {
	if l.inline != nil {
		// Not in Start: a message that was too long for the line goes out once more
		// by itself, and must not go out a third time.
		l.session.SentInline(l.inline)
		l.inline = nil
	}
	if l.waiting.Waits() {
		return l.waiting.Response(challenge)
	}
	return l.session.Respond(challenge)
}
