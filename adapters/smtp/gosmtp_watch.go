package saslsmtp

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/emersion/go-smtp"

	sasl "github.com/saslkit/saslkit/core"
)

// goSMTPAuth has the library run its loop, and ends it if that would send
// "*" although the exchange is over: servers count an unknown command then as
// an error, and some hang up (Postfix: smtpd_forbidden_commands).
func goSMTPAuth(client *smtp.Client, loop *loop) error {
	watch := &refusalWatch{next: client.DebugWriter}
	client.DebugWriter = watch
	defer func() { client.DebugWriter = watch.next }()
	err := goSMTPError(client.Auth(loop))
	if watch.ended != nil {
		err = watch.ended
	}
	return afterLine(base64.StdEncoding.EncodedLen(loop.response), err)
}

// refusalWatch is a DebugWriter for one exchange, from AUTH on. It sees what the
// client writes, after that is sent, and what it reads, before the library has
// it; an error of its makes that reading fail. The two take turns.
type refusalWatch struct {
	next    io.Writer // the client's own; may be nil
	reading bool      // it is the server's turn
	unread  []byte    // of a reply that is not whole yet
	ended   error     // how the exchange ended, other than by success
}

var errEnded = errors.New("the exchange is over")

func (w *refusalWatch) Write(p []byte) (int, error) {
	if w.next != nil {
		if n, err := w.next.Write(p); err != nil {
			return n, err
		}
	}
	if w.ended != nil { // the library did not notice: the first reply counts
		return len(p), nil
	}
	if !w.reading {
		w.reading = bytes.HasSuffix(p, []byte("\n"))
		return len(p), nil
	}
	w.unread = append(w.unread, p...)
	if !bytes.HasSuffix(p, []byte("\n")) {
		return len(p), nil
	}
	lines := bufio.NewReader(bytes.NewReader(w.unread))
	r, err := readReply(lines)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return len(p), nil // more lines follow
	}
	w.reading, w.unread = false, nil
	if w.ended = err; err == nil {
		w.ended = goSMTPEnd(r)
	}
	if w.ended == nil && lines.Buffered() > 0 {
		w.ended = fmt.Errorf("%w: the server sent more than a reply", sasl.ErrProtocol)
	}
	if w.ended != nil {
		return 0, errEnded
	}
	return len(p), nil
}

// goSMTPEnd returns how a reply ends the exchange, and nil if it goes on or has
// succeeded.
func goSMTPEnd(r reply) error {
	switch r.code {
	case 235:
		return nil
	case 334:
		if _, err := sasl.DecodeBase64(r.text); err != nil {
			return fmt.Errorf("%w: the server's challenge %w", sasl.ErrProtocol, err)
		}
		return nil
	}
	refusal := r.refusal()
	library := &smtp.SMTPError{Code: r.code, EnhancedCode: refusal.Enhanced, Message: refusal.Text}
	if refusal.Enhanced == [3]int{} {
		library.EnhancedCode = smtp.NoEnhancedCode
	}
	refusal.library = library
	return failure(refusal)
}
