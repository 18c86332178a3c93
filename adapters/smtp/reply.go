package saslsmtp

import (
	"bufio"
	"fmt"
	"net/textproto"
	"strings"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// maxLines bounds the lines of one reply.
const maxLines = 100

// reply is an SMTP reply (RFC 5321 s4.2), its lines joined with line feeds.
type reply struct {
	code int
	text string
}

func readReply(r *bufio.Reader) (reply, error) {
	var (
		first int
		lines []string
	)
	for len(lines) < maxLines {
		line, err := transport.ReadLine(r)
		if err != nil {
			return reply{}, err
		}
		code, more, text, ok := parseReplyLine(line)
		if !ok || len(lines) > 0 && code != first {
			return reply{}, fmt.Errorf("%w: the server sent an invalid SMTP reply", sasl.ErrProtocol)
		}
		first, lines = code, append(lines, text)
		if !more {
			return reply{first, strings.Join(lines, "\n")}, nil
		}
	}
	return reply{}, fmt.Errorf("%w: the server sent a reply of more than %d lines", sasl.ErrProtocol, maxLines)
}

// parseReplyLine reads three digits and, unless the line ends there, a space
// or, if more lines follow, a hyphen.
func parseReplyLine(line string) (code int, more bool, text string, ok bool) {
	if len(line) < 3 {
		return 0, false, "", false
	}
	for _, digit := range []byte(line[:3]) {
		if digit < '0' || digit > '9' {
			return 0, false, "", false
		}
		code = code*10 + int(digit-'0')
	}
	if code < 200 || code > 599 {
		return 0, false, "", false
	}
	switch {
	case len(line) == 3:
		return code, false, "", true
	case line[3] == ' ' || line[3] == '-':
		return code, line[3] == '-', line[4:], true
	}
	return 0, false, "", false
}

// refusal is what a reply to a command says in refusing it, with the error that
// net/textproto would have made of it.
func (r reply) refusal() *Reply {
	said := &Reply{Code: r.code, library: &textproto.Error{Code: r.code, Msg: r.text}}
	said.Enhanced, said.Text = cutEnhanced(r.text)
	return said
}
