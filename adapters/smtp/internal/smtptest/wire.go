// Package smtptest has the servers that the tests of the SMTP adapters share.
package smtptest

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"slices"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// Wire is the server's side of SMTP for sasltest.
type Wire struct {
	conn   net.Conn
	reader *bufio.Reader
	// noInitialResponses is a server that finds every line with one too long.
	noInitialResponses bool
}

func NewWire(conn net.Conn) *Wire {
	return &Wire{conn: conn, reader: bufio.NewReader(conn)}
}

func (w *Wire) write(format string, args ...any) error {
	_, err := fmt.Fprintf(w.conn, format+"\r\n", args...)
	return err
}

func (w *Wire) line() (string, error) {
	line, err := w.reader.ReadString('\n')
	if err == nil && !strings.HasSuffix(line, "\r\n") {
		err = fmt.Errorf("a line without CRLF: %q", line)
	}
	return strings.TrimSuffix(line, "\r\n"), err
}

func (w *Wire) Greet(mechanism string, initialResponse bool) error {
	w.noInitialResponses = !initialResponse
	if err := w.write("220 mail.example.org ESMTP"); err != nil {
		return err
	}
	line, err := w.line()
	if err != nil || !strings.HasPrefix(line, "EHLO ") {
		return fmt.Errorf("no EHLO: %q, %w", line, err)
	}
	return w.write("250-mail.example.org\r\n250-8BITMIME\r\n250-AUTH %s\r\n250 SIZE 1000000", mechanism)
}

func (w *Wire) ReadInitiate() (mechanism string, initial []byte, err error) {
	line, err := w.line()
	if err != nil {
		return "", nil, err
	}
	words := strings.Split(line, " ")
	if len(words) < 2 || len(words) > 3 || words[0] != "AUTH" {
		return "", nil, fmt.Errorf("no AUTH: %.80q", line)
	}
	if len(line)+2 > 512 {
		return "", nil, fmt.Errorf("a line of %d octets", len(line)+2)
	}
	if len(words) == 3 && w.noInitialResponses {
		if err := w.write("500 5.5.6 Authentication exchange line is too long"); err != nil {
			return "", nil, err
		}
		return w.ReadInitiate()
	}
	switch {
	case len(words) == 2:
	case words[2] == "=":
		initial = []byte{}
	case words[2] == "":
		err = fmt.Errorf("an initial response that is neither absent nor =")
	default:
		initial, err = base64.StdEncoding.DecodeString(words[2])
	}
	return words[1], initial, err
}

func (w *Wire) ReadResponse() (response []byte, aborted bool, err error) {
	line, err := w.line()
	if err != nil || line == "*" {
		return nil, line == "*", err
	}
	response, err = base64.StdEncoding.DecodeString(line)
	return response, false, err
}

func (w *Wire) Challenge(data []byte) error {
	return w.write("334 %s", base64.StdEncoding.EncodeToString(data))
}

func (w *Wire) Succeed(data []byte) error {
	if data != nil {
		return fmt.Errorf("SMTP carries no data with success")
	}
	return w.write("235 2.7.0 Authentication successful")
}

// replies are the words that SMTP has for conditions (RFC 4954 s6).
var replies = map[sasl.Condition]string{
	sasl.NotAuthorized:        "535 5.7.8",
	sasl.AccountDisabled:      "525 5.7.13",
	sasl.CredentialsExpired:   "432 4.7.12",
	sasl.EncryptionRequired:   "538 5.7.11",
	sasl.MechanismTooWeak:     "534 5.7.9",
	sasl.TemporaryAuthFailure: "454 4.7.0",
	sasl.InvalidMechanism:     "504 5.5.4",
	sasl.MalformedRequest:     "501 5.5.2",
	sasl.Aborted:              "501 5.7.0",
}

func (w *Wire) Refuse(condition sasl.Condition) error {
	reply, ok := replies[condition]
	if !ok {
		reply = "535 5.7.8"
	}
	return w.write("%s because", reply)
}

// Conditions are those that SMTP has words for.
func Conditions() (list []sasl.Condition) {
	for condition := range replies {
		if condition != sasl.Aborted { // 501 is malformed-request except in answer to "*"
			list = append(list, condition)
		}
	}
	slices.Sort(list)
	return list
}

// Malformed are frames for adapters that read frames themselves.
var Malformed = []sasltest.Malformed{
	{Name: "not base64", Frame: "334 not!base64\r\n", Class: sasl.ErrProtocol, InSync: true},
	{Name: "base64 cut short", Frame: "334 YWJj=\r\n", Class: sasl.ErrProtocol, InSync: true},
	{Name: "base64 with trailing bits", Frame: "334 YR==\r\n", Class: sasl.ErrProtocol, InSync: true},
	{Name: "carriage return in base64", Frame: "334 YW\rJj\r\n", Class: sasl.ErrProtocol, InSync: true},
	{Name: "two lines of base64", Frame: "334-YWJj\r\n334 YWJj\r\n", Class: sasl.ErrProtocol, InSync: true},
	{Name: "no SMTP", Frame: "* OK hello\r\n", Class: sasl.ErrProtocol},
	{Name: "short", Frame: "33\r\n", Class: sasl.ErrProtocol},
	{Name: "no code", Frame: "3x4 YWJj\r\n", Class: sasl.ErrProtocol},
	{Name: "no space", Frame: "334_YWJj\r\n", Class: sasl.ErrProtocol},
	{Name: "code too large", Frame: "999 no\r\n", Class: sasl.ErrProtocol},
	{Name: "success of another kind", Frame: "250 OK\r\n", Class: sasl.ErrProtocol},
	{Name: "intermediate of another kind", Frame: "354 go ahead\r\n", Class: sasl.ErrProtocol},
	{Name: "two codes", Frame: "535-no\r\n235 yes\r\n", Class: sasl.ErrProtocol},
	{Name: "empty line", Frame: "\r\n", Class: sasl.ErrProtocol},
	{Name: "shutting down", Frame: "421 4.3.2 closing\r\n", Class: sasl.ErrTemporary},
}
