package saslsmtp

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/textproto"

	sasl "github.com/saslkit/saslkit/core"
)

// maxCommand is the longest command line with an initial response, with its
// end, in octets (RFC 4954 s4).
const maxCommand = 512

// textConn is an SMTP connection after EHLO as a sasl.Interface (RFC 4954), on
// the text protocol that a library exports and that nobody else uses meanwhile.
type textConn struct {
	reader *bufio.Reader
	writer *bufio.Writer
	closer io.Closer
	open   bool // the server waits for a response
}

func newTextConn(text *textproto.Conn, closer io.Closer) *textConn {
	return &textConn{reader: text.R, writer: text.W, closer: closer}
}

// Initiate sends AUTH (RFC 4954 s4), with the initial response on the line if
// that has at most 512 octets, else in answer to the server's first, empty
// challenge; so too if the server finds the line too long.
func (t *textConn) Initiate(_ context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	line, deferred := authLine(mechanism, initial)
	reply, err := t.exchange(line)
	if initial != nil && !deferred && isLineTooLong(err) {
		deferred = true
		reply, err = t.exchange("AUTH " + mechanism)
	}
	switch {
	case err != nil:
		return reply, err
	case !deferred:
		reply.Inline = initial != nil
		return reply, nil
	case reply.Done:
		return sasl.Reply{}, fmt.Errorf("%w: the server announced success before it had our first message", sasl.ErrSecurity)
	case len(reply.Data) > 0:
		return sasl.Reply{}, fmt.Errorf("%w: the server sent a challenge where it must ask for the initial response", sasl.ErrProtocol)
	}
	return t.exchange(base64.StdEncoding.EncodeToString(initial))
}

// authLine returns the command that begins an exchange, and reports whether the
// initial response has to wait.
func authLine(mechanism string, initial []byte) (line string, deferred bool) {
	line = "AUTH " + mechanism
	switch {
	case initial == nil:
		return line, false
	case len(initial) == 0:
		return line + " =", false
	}
	inline := line + " " + base64.StdEncoding.EncodeToString(initial)
	if len(inline)+len("\r\n") > maxCommand {
		return line, true
	}
	return inline, false
}

// Respond sends a response.
func (t *textConn) Respond(_ context.Context, response []byte) (sasl.Reply, error) {
	return t.exchange(base64.StdEncoding.EncodeToString(response))
}

// Abort cancels the exchange with "*", to which the server answers 501.
func (t *textConn) Abort(context.Context) error {
	if !t.open {
		return fmt.Errorf("%w: there is no exchange that could be cancelled", sasl.ErrProtocol)
	}
	t.open = false
	r, err := t.roundTrip("*")
	if err == nil && r.code/100 != 5 && r.code/100 != 4 {
		err = fmt.Errorf("%w: the server did not acknowledge the end of the exchange", sasl.ErrProtocol)
	}
	return err
}

// Close closes the connection.
func (t *textConn) Close() error { return t.closer.Close() }

// exchange sends a line of the exchange and reads the answer.
func (t *textConn) exchange(line string) (sasl.Reply, error) {
	t.open = false
	r, err := t.roundTrip(line)
	switch {
	case err != nil:
		return sasl.Reply{}, afterLine(len(line), err)
	case r.code == 334:
		t.open = true
		challenge, err := sasl.DecodeBase64(r.text)
		if err != nil {
			return sasl.Reply{}, fmt.Errorf("%w: the server's challenge %w", sasl.ErrProtocol, err)
		}
		return sasl.Reply{Data: challenge}, nil
	case r.code == 235:
		return sasl.Reply{Done: true}, nil
	}
	return sasl.Reply{}, afterLine(len(line), r.refusal().err())
}

func (t *textConn) roundTrip(line string) (reply, error) {
	t.writer.WriteString(line + "\r\n") // its error is Flush's
	if err := t.writer.Flush(); err != nil {
		return reply{}, fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	return readReply(t.reader)
}
