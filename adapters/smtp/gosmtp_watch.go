package saslsmtp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/emersion/go-smtp"

	sasl "github.com/saslkit/saslkit/core"
)

// goSMTPAuth has the library run its loop, and ends the loop before it sends "*"
// although the exchange is over: servers count an unknown command then as an error,
// and some hang up (Postfix: smtpd_forbidden_commands).
func goSMTPAuth(client *smtp.Client, loop *loop) error {
	watch := &replyWatch{next: client.DebugWriter, client: client}
	client.DebugWriter = watch
	defer func() { client.DebugWriter = watch.next }()
	loop.whole = watch.whole
	err := goSMTPError(client.Auth(loop))
	switch {
	case watch.ended != nil:
		err = watch.ended
	case watch.whole() != nil: // the library took a part for a reply
		err = watch.whole()
	}
	return err
}

// replyWatch is a DebugWriter for one exchange, from AUTH on. It sees the octets
// that the client writes, after they are sent, and the octets that it reads, before
// the library has them. The two take turns.
//
// The library takes a part of a line for a whole one if a read fails after the part
// (net/textproto does). So the watch cannot simply fail the read that completes a
// refusal: it also takes care that nothing of a refusal reaches the library.
type replyWatch struct {
	next    io.Writer // the client's own; nil = none
	client  io.Closer
	reading bool   // it is the server's turn
	unread  []byte // of a reply that is not whole yet
	ended   error  // how the exchange ended, other than by success
}

// maxLibraryLine bounds a line, in octets. It is below the library's limit of 2000,
// so a line that is too long is found before the library's read fails, if the line
// arrives in small parts.
const maxLibraryLine = 1990

var errLibraryLine = fmt.Errorf("%w: %w; use a Conn or net/smtp, which read longer lines", sasl.ErrProtocol, smtp.ErrTooLongLine)

var errEnded = errors.New("the exchange is over")

func (w *replyWatch) Write(p []byte) (int, error) {
	if w.next != nil {
		if n, err := w.next.Write(p); err != nil {
			return n, err
		}
	}
	switch {
	case w.ended != nil: // the library did not notice: the first reply counts
		return 0, errEnded
	case !w.reading:
		w.reading = bytes.HasSuffix(p, []byte("\n"))
		return len(p), nil
	}
	if w.take(p); w.ended != nil {
		return 0, errEnded
	}
	if first := w.first(); first == '4' || first == '5' {
		hide(p)
	}
	return len(p), nil
}

// first returns the first octet of a reply that is not whole yet; 0 = there is
// none.
func (w *replyWatch) first() byte {
	if len(w.unread) == 0 {
		return 0
	}
	return w.unread[0]
}

// hide overwrites octets that are on their way into the library's buffer, so that
// the library finds no code in them and no end of a line. An io.Writer must not do
// that as a rule. Here the octets come from an io.TeeReader, which hands over the
// buffer of the reader itself. If the library should once copy them, it sends "*"
// after a refusal that arrives in parts, as it does without the watch.
func hide(p []byte) {
	for i := range p {
		p[i] = 'x'
	}
}

// take adds octets to the reply. It ends the exchange if the reply is whole and
// does so, or if a line or the reply is too long. Only a refusal leaves the
// connection in use.
func (w *replyWatch) take(p []byte) {
	last := bytes.LastIndexByte(w.unread, '\n') + 1
	w.unread = append(w.unread, p...)
	for line := range bytes.SplitSeq(w.unread[last:], []byte("\n")) {
		if len(line) > maxLibraryLine {
			w.ended = errLibraryLine
			w.client.Close()
			return
		}
	}
	if bytes.Count(w.unread, []byte("\n")) <= maxLines && !bytes.HasSuffix(w.unread, []byte("\n")) {
		return // more of the line follows
	}
	lines := bufio.NewReader(bytes.NewReader(w.unread))
	r, err := readReply(lines)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return // more lines follow
	}
	w.reading, w.unread = false, nil
	if w.ended = err; err == nil {
		w.ended = goSMTPEnd(r)
	}
	surplus := lines.Buffered() > 0
	if w.ended == nil && surplus {
		w.ended = fmt.Errorf("%w: the server sent more than a reply", sasl.ErrProtocol)
	}
	var refused *sasl.Failure
	if w.ended != nil && (surplus || !errors.As(w.ended, &refused)) {
		w.client.Close()
	}
}

// whole returns an error if the library has taken a part of a reply for a whole
// one. The library does so if the connection ends in a line, and if a line is
// longer than the library's limit.
func (w *replyWatch) whole() error {
	last := w.unread[bytes.LastIndexByte(w.unread, '\n')+1:]
	switch {
	case !w.reading || len(w.unread) == 0:
		return nil
	case len(last) > maxLibraryLine/2: // the read that failed was of many octets
		return errLibraryLine
	}
	return fmt.Errorf("%w: %w", sasl.ErrConnection, io.ErrUnexpectedEOF)
}

// goSMTPEnd returns how a reply ends the exchange. Nil = the exchange goes on or
// has succeeded.
func goSMTPEnd(r reply) error {
	switch r.code {
	case 235:
		return nil
	case 334:
		_, err := decodeChallenge(r.text)
		return err
	}
	refusal := r.refusal()
	refusal.library = &smtp.SMTPError{Code: r.code, EnhancedCode: refusal.Enhanced, Message: refusal.Text}
	return failure(refusal)
}
