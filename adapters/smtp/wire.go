package saslsmtp

import (
	"bufio"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// maxLines bounds the lines of a reply.
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
			return reply{}, fmt.Errorf("%w: the server sent an invalid SMTP reply: %s", sasl.ErrProtocol, sasl.Printable(line))
		}
		first, lines = code, append(lines, text)
		if !more {
			return reply{first, strings.Join(lines, "\n")}, nil
		}
	}
	return reply{}, fmt.Errorf("%w: the server sent a reply of more than %d lines", sasl.ErrProtocol, maxLines)
}

// parseReplyLine reads a line of a reply: three digits and, unless the line ends
// there, a space, or a hyphen if more lines follow.
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

// refusal returns a reply as the refusal of a command, with the error that
// net/textproto would return.
func (r reply) refusal() *Reply {
	refusal := &Reply{Code: r.code, library: &textproto.Error{Code: r.code, Msg: r.text}}
	refusal.Enhanced, refusal.Text = splitEnhanced(r.text)
	return refusal
}

// splitEnhanced separates the enhanced status code (RFC 2034 s3) from each line of
// a text.
func splitEnhanced(text string) (enhanced [3]int, rest string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		code, after, _ := strings.Cut(line, " ")
		parts := strings.Split(code, ".")
		if len(parts) != 3 || len(code) > len("5.123.123") {
			continue
		}
		var numbers [3]int
		valid := true
		for j, part := range parts {
			n, err := strconv.ParseUint(part, 10, 10)
			numbers[j], valid = int(n), valid && err == nil
		}
		if valid && numbers[0] >= 2 && numbers[0] <= 5 {
			enhanced, lines[i] = numbers, after
		}
	}
	return enhanced, strings.Join(lines, "\n")
}

// decodeChallenge decodes the text of a 334 reply.
func decodeChallenge(text string) ([]byte, error) {
	challenge, err := sasl.DecodeBase64(text)
	if err != nil {
		return nil, fmt.Errorf("%w: the server's challenge %w", sasl.ErrProtocol, err)
	}
	return challenge, nil
}

// roundTrip sends a line and reads the reply.
func (p *protocol) roundTrip(line string) (reply, error) {
	p.writer.WriteString(line + "\r\n") // its error is Flush's
	if err := p.writer.Flush(); err != nil {
		return reply{}, fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	return readReply(p.reader)
}
