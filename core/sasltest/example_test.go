package sasltest_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// adapter is the client's side of a protocol of lines. The client sends "AUTH
// mechanism message", a message, and "*". The server sends "+ challenge", "OK data"
// and "NO condition". A message is "=" and base64; an absent message is "-".
type adapter struct {
	net.Conn
	reader *bufio.Reader
	open   bool // the server waits for a response
}

func (a *adapter) Initiate(_ context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	reply, err := a.exchange("AUTH " + mechanism + " " + encode(initial))
	reply.Inline = initial != nil
	return reply, err
}

func (a *adapter) Respond(_ context.Context, response []byte) (sasl.Reply, error) {
	return a.exchange(encode(response))
}

func (a *adapter) Abort(context.Context) error {
	if !a.open {
		return fmt.Errorf("%w: there is no exchange to abort", sasl.ErrProtocol)
	}
	_, err := a.exchange("*")
	if _, acknowledged := err.(*sasl.Failure); acknowledged {
		return nil
	}
	return fmt.Errorf("%w: the server did not acknowledge the abort", sasl.ErrProtocol)
}

func (a *adapter) exchange(line string) (sasl.Reply, error) {
	a.open = false
	if err := writeLine(a.Conn, line); err != nil {
		return sasl.Reply{}, err
	}
	word, rest, err := readLine(a.reader)
	if err != nil {
		return sasl.Reply{}, err
	}
	if word == "NO" {
		return sasl.Reply{}, &sasl.Failure{Condition: sasl.Condition(rest)}
	}
	a.open = word == "+"
	data, err := decode(rest)
	if err != nil || word != "+" && word != "OK" {
		return sasl.Reply{}, fmt.Errorf("%w: the server sent an invalid line", sasl.ErrProtocol)
	}
	return sasl.Reply{Data: data, Done: word == "OK"}, nil
}

// wire is the server's side, which the kit uses.
type wire struct {
	conn   net.Conn
	reader *bufio.Reader
}

func (w *wire) Greet(string, bool) error { return nil }

func (w *wire) ReadInitiate() (mechanism string, initial []byte, err error) {
	_, rest, err := readLine(w.reader)
	if err != nil {
		return "", nil, err
	}
	mechanism, text, _ := strings.Cut(rest, " ")
	initial, err = decode(text)
	return mechanism, initial, err
}

func (w *wire) ReadResponse() (response []byte, aborted bool, err error) {
	text, _, err := readLine(w.reader)
	if err != nil || text == "*" {
		return nil, text == "*", err
	}
	response, err = decode(text)
	return response, false, err
}

func (w *wire) Challenge(data []byte) error { return writeLine(w.conn, "+ "+encode(data)) }
func (w *wire) Succeed(data []byte) error   { return writeLine(w.conn, "OK "+encode(data)) }
func (w *wire) Refuse(condition sasl.Condition) error {
	return writeLine(w.conn, "NO "+string(condition))
}

func writeLine(conn net.Conn, line string) error {
	if _, err := conn.Write([]byte(line + "\r\n")); err != nil {
		return fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	return nil
}

// readLine reads a line that fits into the reader's buffer.
func readLine(reader *bufio.Reader) (word, rest string, err error) {
	line, err := reader.ReadSlice('\n')
	switch {
	case err == bufio.ErrBufferFull:
		return "", "", fmt.Errorf("%w: a line of more than %d octets", sasl.ErrProtocol, reader.Size())
	case err != nil:
		return "", "", fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	word, rest, _ = strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
	return word, rest, nil
}

func encode(message []byte) string {
	if message == nil {
		return "-"
	}
	return "=" + base64.StdEncoding.EncodeToString(message)
}

func decode(text string) ([]byte, error) {
	if text == "-" {
		return nil, nil
	}
	return sasl.DecodeBase64(strings.TrimPrefix(text, "="))
}

// lineAdapter describes the adapter for the kit.
var lineAdapter = sasltest.Adapter{
	Wire: func(conn net.Conn) sasltest.Wire { return &wire{conn, bufio.NewReaderSize(conn, 128<<10)} },
	Dial: func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
		a := &adapter{Conn: conn, reader: bufio.NewReaderSize(conn, 128<<10)}
		// A real adapter learns the list from the server.
		info := sasl.ServerInfo{SuccessData: true, Mechanisms: []string{client.Mechanisms[0].Name()}}
		return client.Authenticate(ctx, a, info)
	},
	SuccessData: true,
	Conditions:  []sasl.Condition{sasl.NotAuthorized, sasl.AccountDisabled, sasl.TemporaryAuthFailure},
	Malformed: []sasltest.Malformed{
		{Name: "no base64", Frame: "+ =!!!!\r\n", Class: sasl.ErrProtocol, InSync: true},
		{Name: "another word", Frame: "HELLO =\r\n", Class: sasl.ErrProtocol},
	},
	Cannot: map[string]string{
		sasltest.CaseDeferred:            "every server of the protocol takes initial responses",
		sasltest.CaseDeferredToChallenge: "every server of the protocol takes initial responses",
	},
}

// The author of an adapter writes a Wire, the server's side of the framing, and
// runs the kit in a test of the adapter's package.
func ExampleTestAdapter() {
	_ = func(t *testing.T) {
		sasltest.TestAdapter(t, lineAdapter)
	}
}

func TestLineAdapter(t *testing.T) { sasltest.TestAdapter(t, lineAdapter) }
