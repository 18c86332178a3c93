package sasltest

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// toy is a protocol that can express everything: a letter and, after a space, "-" or
// base64. toy shows that an adapter can pass TestAdapter, also with success data.
type toy struct {
	conn   net.Conn
	reader *bufio.Reader
	open   bool
}

func newToy(conn net.Conn) *toy { return &toy{conn: conn, reader: bufio.NewReaderSize(conn, 128<<10)} }

func (p *toy) send(letter string, data []byte) error {
	text := "-"
	if data != nil {
		text = "." + base64.StdEncoding.EncodeToString(data)
	}
	_, err := io.WriteString(p.conn, letter+" "+text+"\n")
	return err
}

func (p *toy) receive() (letter string, data []byte, err error) {
	line, err := p.reader.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		return "", nil, fmt.Errorf("%w: too long", sasl.ErrProtocol)
	}
	if err != nil {
		return "", nil, err
	}
	letter, text, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
	if text == "-" {
		return letter, nil, nil
	}
	data, err = sasl.DecodeBase64(strings.TrimPrefix(text, "."))
	if err != nil {
		err = fmt.Errorf("%w: %w", sasl.ErrProtocol, err)
	}
	return letter, data, err
}

// The client's side.

func (p *toy) Initiate(_ context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	letter, _, err := p.receive()
	if err != nil {
		return sasl.Reply{}, err
	}
	p.send("M", []byte(mechanism))
	if letter == "y" || initial == nil {
		return p.exchange("I", initial)
	}
	reply, err := p.exchange("I", nil)
	switch {
	case err != nil:
		return reply, err
	case reply.Done:
		return sasl.Reply{}, fmt.Errorf("%w: too early", sasl.ErrSecurity)
	case len(reply.Data) > 0:
		return sasl.Reply{}, fmt.Errorf("%w: not empty", sasl.ErrProtocol)
	}
	return p.exchange("R", initial)
}

func (p *toy) Respond(_ context.Context, response []byte) (sasl.Reply, error) {
	return p.exchange("R", response)
}

func (p *toy) exchange(letter string, data []byte) (sasl.Reply, error) {
	p.open = false
	if err := p.send(letter, data); err != nil {
		return sasl.Reply{}, err
	}
	letter, data, err := p.receive()
	p.open = letter != ""
	switch {
	case err != nil:
		return sasl.Reply{}, err
	case letter == "F":
		p.open = false
		return sasl.Reply{}, &sasl.Failure{Condition: sasl.Condition(data)}
	}
	return sasl.Reply{Data: data, Done: letter == "S"}, nil
}

func (p *toy) Abort(context.Context) error {
	if !p.open {
		return sasl.ErrProtocol
	}
	p.send("A", nil)
	letter, _, err := p.receive()
	if err == nil && letter != "F" {
		err = sasl.ErrProtocol
	}
	return err
}

func (p *toy) Close() error { return p.conn.Close() }

// toyWire is the server's side.
type toyWire struct {
	*toy
	initialResponse string
}

func (w *toyWire) Greet(_ string, initialResponse bool) error {
	w.initialResponse = "n"
	if initialResponse {
		w.initialResponse = "y"
	}
	return nil
}

func (w *toyWire) ReadInitiate() (mechanism string, initial []byte, err error) {
	if err := w.send(w.initialResponse, nil); err != nil {
		return "", nil, err
	}
	_, name, err := w.receive()
	if err != nil {
		return "", nil, err
	}
	_, initial, err = w.receive()
	return string(name), initial, err
}

func (w *toyWire) ReadResponse() (response []byte, aborted bool, err error) {
	letter, response, err := w.receive()
	return response, letter == "A", err
}

func (w *toyWire) Challenge(data []byte) error           { return w.send("C", data) }
func (w *toyWire) Succeed(data []byte) error             { return w.send("S", data) }
func (w *toyWire) Refuse(condition sasl.Condition) error { return w.send("F", []byte(condition)) }

// toyMechanisms are the mechanisms of the transcripts.
var toyMechanisms = []string{
	mechanismName, "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "EXTERNAL", "ANONYMOUS", "OAUTHBEARER", "XOAUTH2",
	"SCRAM-SHA-1", "SCRAM-SHA-224", "SCRAM-SHA-256", "SCRAM-SHA-384", "SCRAM-SHA-512", "SCRAM-SHA3-512",
}

func TestAdapterCanBePassed(t *testing.T) {
	TestAdapter(t, Adapter{
		Wire:        func(conn net.Conn) Wire { return &toyWire{toy: newToy(conn)} },
		SuccessData: true,
		Conditions: []sasl.Condition{sasl.AccountDisabled, sasl.CredentialsExpired, sasl.EncryptionRequired, sasl.IncorrectEncoding,
			sasl.InvalidAuthzid, sasl.InvalidMechanism, sasl.MalformedRequest, sasl.MechanismTooWeak, sasl.NotAuthorized, sasl.TemporaryAuthFailure},
		Malformed: []Malformed{{Name: "not base64", Frame: "C .!!!!\n", Class: sasl.ErrProtocol, InSync: true}},
		Dial: func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
			return client.Authenticate(ctx, newToy(conn), sasl.ServerInfo{SuccessData: true, Mechanisms: toyMechanisms})
		},
	})
}
