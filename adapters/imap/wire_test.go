package saslimap

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// serverWire is the server's side of IMAP for sasltest.
type serverWire struct {
	conn   net.Conn
	reader *bufio.Reader
	tag    string
	// equals is the empty response that the client under test sends.
	equals string
}

func newWire(conn net.Conn) sasltest.Wire {
	return &serverWire{conn: conn, reader: bufio.NewReader(conn)}
}

func (w *serverWire) write(format string, args ...any) error {
	_, err := fmt.Fprintf(w.conn, format+"\r\n", args...)
	return err
}

func (w *serverWire) line() (string, error) {
	line, err := w.reader.ReadString('\n')
	if err == nil && !strings.HasSuffix(line, "\r\n") {
		err = fmt.Errorf("a line without CRLF: %q", line)
	}
	return strings.TrimSuffix(line, "\r\n"), err
}

func (w *serverWire) Greet(mechanism string, initialResponse bool) error {
	capabilities := "IMAP4rev1 AUTH=" + mechanism
	if initialResponse {
		capabilities += " SASL-IR"
	}
	return w.write("* OK [CAPABILITY %s] hello", capabilities)
}

func (w *serverWire) ReadInitiate() (mechanism string, initial []byte, err error) {
	line, err := w.line()
	if err != nil {
		return "", nil, err
	}
	words := strings.Split(line, " ")
	if len(words) < 3 || len(words) > 4 || words[1] != "AUTHENTICATE" {
		return "", nil, fmt.Errorf("no AUTHENTICATE: %.80q", line)
	}
	w.tag = words[0]
	switch {
	case len(words) == 3:
	case words[3] == "=":
		initial = []byte{}
	case words[3] == "":
		err = fmt.Errorf("an initial response that is neither absent nor =")
	default:
		initial, err = base64.StdEncoding.DecodeString(words[3])
	}
	return words[2], initial, err
}

func (w *serverWire) ReadResponse() (response []byte, aborted bool, err error) {
	line, err := w.line()
	if err != nil || line == "*" {
		return nil, line == "*", err
	}
	if line == w.equals {
		return []byte{}, false, nil
	}
	response, err = base64.StdEncoding.DecodeString(line)
	return response, false, err
}

func (w *serverWire) Challenge(data []byte) error {
	return w.write("+ %s", base64.StdEncoding.EncodeToString(data))
}

func (w *serverWire) Succeed(data []byte) error {
	if data != nil {
		return fmt.Errorf("IMAP carries no data with success")
	}
	if w.equals != "" { // the library would ask at once
		return w.write("%s OK [CAPABILITY IMAP4rev1] welcome", w.tag)
	}
	return w.write("%s OK welcome", w.tag)
}

// codes are the words that IMAP has for conditions (RFC 5530).
var codes = map[sasl.Condition]string{
	sasl.NotAuthorized:        "NO [AUTHENTICATIONFAILED]",
	sasl.InvalidAuthzid:       "NO [AUTHORIZATIONFAILED]",
	sasl.CredentialsExpired:   "NO [EXPIRED]",
	sasl.EncryptionRequired:   "NO [PRIVACYREQUIRED]",
	sasl.TemporaryAuthFailure: "NO [UNAVAILABLE]",
	sasl.AccountDisabled:      "NO [CONTACTADMIN]",
	sasl.InvalidMechanism:     "NO [CANNOT]",
	sasl.MalformedRequest:     "BAD",
	sasl.Aborted:              "BAD",
}

func (w *serverWire) Refuse(condition sasl.Condition) error {
	code, ok := codes[condition]
	if !ok {
		code = "NO"
	}
	return w.write("%s %s because", w.tag, code)
}
