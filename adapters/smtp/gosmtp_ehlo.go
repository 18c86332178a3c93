package saslsmtp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-smtp"

	sasl "github.com/saslkit/saslkit/core"
)

// goSMTPMechanisms returns the mechanisms of the last EHLO. The library knows the
// keyword only in upper case and without "=", so a DebugWriter reads the reply. If
// the client has said EHLO before, it says EHLO again, and no more than once.
func goSMTPMechanisms(client *smtp.Client) ([]string, error) {
	list, said, ok := goSMTPHello(client)
	if ok {
		return list, nil
	}
	if said == "" {
		if err := client.Reset(); err != nil { // so that the client says EHLO again
			return nil, goSMTPRejected(err)
		}
		if list, said, ok = goSMTPHello(client); ok {
			return list, nil
		}
	}
	lines := extensionLines(said)
	if lines == nil {
		// The library keeps the error of EHLO, and returns it before it sends RSET.
		if err := goSMTPRejected(client.Reset()); !isEHLOUnwanted(err) {
			return nil, err
		}
	}
	return authKeyword(lines), nil
}

// goSMTPHello has the client say EHLO unless it has. It returns the list that the
// library has found, if ok is set, and else what both sides said.
func goSMTPHello(client *smtp.Client) (list []string, said string, ok bool) {
	var heard boundedBuffer
	before := client.DebugWriter
	client.DebugWriter = &heard
	if before != nil {
		client.DebugWriter = io.MultiWriter(before, &heard)
	}
	defer func() { client.DebugWriter = before }()
	ok, keyword := client.Extension("AUTH")
	if ok {
		return authKeyword([]string{"AUTH " + keyword}), "", true
	}
	return nil, heard.String(), false
}

// boundedBuffer fails the library's read once the server has said too much: the
// library itself keeps a reply without an end until the memory is full.
type boundedBuffer struct{ bytes.Buffer }

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxLines*maxLibraryLine {
		return 0, fmt.Errorf("%w: the server sent a reply of more than %d octets", sasl.ErrProtocol, maxLines*maxLibraryLine)
	}
	return b.Buffer.Write(p)
}

// extensionLines returns the lines of a reply of 250 to EHLO or HELO, without the
// first, which has the server's name. Nil = what was said does not end in one.
func extensionLines(said string) (lines []string) {
	asked, more := false, true
	for line := range strings.Lines(said) {
		code, hyphen, text, ok := parseReplyLine(strings.TrimRight(line, "\r\n"))
		asked = asked || !ok // by the command of the client; before it comes the greeting
		switch {
		case code != 250 || !asked:
			lines, more = nil, true
		case lines == nil:
			lines, more = []string{}, hyphen
		default:
			lines, more = append(lines, text), hyphen
		}
	}
	if more {
		return nil
	}
	return lines
}

// goSMTPRejected translates what the library returns before the authentication.
func goSMTPRejected(err error) error {
	if r := goSMTPReply(err); r != nil {
		return rejected(r)
	}
	return goSMTPError(err)
}

// isEHLOUnwanted reports whether a server refused an EHLO because it does not know
// the command, or does not want it now. RFC 5321 s4.1.4 allows EHLO at any time, but
// some servers take it once. Such a server has no list, and rejects nobody.
func isEHLOUnwanted(err error) bool {
	var r *Reply
	return errors.As(err, &r) && (r.Code == 500 || r.Code == 502 || r.Code == 503)
}
