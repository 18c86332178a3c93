package saslimap

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// maxUntagged bounds the untagged responses before a tagged one.
const maxUntagged = 1000

// response is a line that the server sent (RFC 9051 s7).
type response struct {
	tag    string // "*", "+" or that of a command
	status string // OK, NO, BAD, BYE or PREAUTH, in upper case; "" for other data
	code   string // the response code in upper case, without its arguments
	args   string // of the response code
	text   string // what follows; for "+" and other data, all of it
	line   string // all of it
	ended  error  // of the BYE that came before it; nil = none did
}

// readResponse reads a response and leaves out the literals in it.
func readResponse(r *bufio.Reader) (response, error) {
	line, err := transport.ReadLine(r)
	if err != nil {
		return response{}, err
	}
	resp, err := parseResponse(line)
	if err != nil || resp.status != "" || resp.tag != "*" {
		return resp, err
	}
	for total := 0; ; {
		size, ok := literalSize(line)
		if !ok {
			return resp, nil
		}
		// An empty literal counts too: its announcement takes a line.
		if total += min(size, transport.MaxLine+1) + len("{0}"); total > transport.MaxLine {
			return response{}, fmt.Errorf("%w: the server sent literals of more than 96 KiB in one response", sasl.ErrProtocol)
		}
		if _, err := r.Discard(size); err != nil {
			return response{}, transport.ReadError(err)
		}
		if line, err = transport.ReadLine(r); err != nil {
			return response{}, err
		}
	}
}

// parseResponse reads the beginning of a line, up to the text of a status
// response.
func parseResponse(line string) (response, error) {
	tag, rest, _ := strings.Cut(line, " ")
	resp := response{tag: tag, text: rest, line: line}
	if tag == "+" {
		return resp, nil // some servers leave out the space
	}
	word, after, _ := strings.Cut(rest, " ")
	switch status := strings.ToUpper(word); status {
	case "OK", "NO", "BAD", "BYE", "PREAUTH":
		resp.status, resp.text = status, after
	default:
		if tag != "*" || word == "" {
			return response{}, fmt.Errorf("%w: the server sent an invalid IMAP response: %q", sasl.ErrProtocol, sasl.Printable(line))
		}
		return resp, nil
	}
	if bracketed, ok := strings.CutPrefix(resp.text, "["); ok {
		code, text, ok := strings.Cut(bracketed, "]")
		if !ok {
			return response{}, fmt.Errorf("%w: the server sent a response code without an end: %q", sasl.ErrProtocol, sasl.Printable(line))
		}
		code, resp.args, _ = strings.Cut(code, " ")
		resp.code, resp.text = strings.ToUpper(code), strings.TrimPrefix(text, " ")
	}
	return resp, nil
}

// literalSize reports whether a line ends in the announcement of a literal.
func literalSize(line string) (int, bool) {
	i := strings.LastIndexByte(line, '{')
	if i < 0 || !strings.HasSuffix(line, "}") {
		return 0, false
	}
	size, err := strconv.ParseUint(strings.TrimSuffix(line[i+1:len(line)-1], "+"), 10, 31)
	return int(size), err == nil
}

// refusal returns a tagged NO or BAD as the library's error.
func (r response) refusal() *imap.Error {
	return &imap.Error{
		Type: imap.StatusResponseType(r.status),
		Code: imap.ResponseCode(r.code),
		Text: r.text,
	}
}

// decodeChallenge decodes the text of a continuation request. No text is an
// empty challenge, and so is "=", which some servers send.
func decodeChallenge(text string) ([]byte, error) {
	if text == "=" {
		return []byte{}, nil
	}
	challenge, err := sasl.DecodeBase64(text)
	if err != nil {
		return nil, fmt.Errorf("%w: the server's challenge %w", sasl.ErrProtocol, err)
	}
	return challenge, nil
}

// await reads until the continuation request or the tagged response of a
// command, and takes note of the responses in between.
func (c *Conn) await(tag string) (response, error) {
	c.fresh = false
	for range maxUntagged {
		resp, err := readResponse(c.reader)
		if err != nil {
			return response{}, err
		}
		c.note(resp)
		switch {
		case resp.tag == tag && resp.status != "BYE" && resp.status != "PREAUTH":
			return resp, nil
		case resp.tag == "+":
			return resp, nil
		case resp.tag != "*":
			return response{}, fmt.Errorf("%w: the server answered a command that was not given: %q", sasl.ErrProtocol, sasl.Printable(resp.line))
		case resp.status == "BYE":
			return c.afterBye(tag, resp)
		}
	}
	return response{}, fmt.Errorf("%w: the server sent more than %d untagged responses", sasl.ErrProtocol, maxUntagged)
}

// roundTrip sends a line, and reads the answer to the command of the tag.
func (c *Conn) roundTrip(line, tag string) (response, error) {
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		return response{}, fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	return c.await(tag)
}

// command sends a command without arguments, and reads the answer.
func (c *Conn) command(name string) (response, error) {
	tag := c.nextTag()
	resp, err := c.roundTrip(tag+" "+name, tag)
	switch {
	case err != nil:
	case resp.ended != nil:
		err = resp.ended
	case resp.tag == "+":
		err = fmt.Errorf("%w: the server asks for more data of a command that has none", sasl.ErrProtocol)
	}
	return resp, err
}

func (c *Conn) nextTag() string {
	c.lastTag++
	return "A" + strconv.Itoa(c.lastTag)
}
