package sasl_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// lineConn is an adapter for a protocol of lines. The client's lines are "AUTH
// mechanism [message]", a message and "*"; the server's are "+ challenge", "OK
// [data]" and "NO condition". A message is in base64, an absent one is "-".
type lineConn struct {
	io.ReadWriteCloser
	reader *bufio.Reader
}

func newLineConn(conn io.ReadWriteCloser) *lineConn { return &lineConn{conn, bufio.NewReader(conn)} }

func (c *lineConn) Initiate(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	reply, err := c.exchange("AUTH " + mechanism + " " + encodeLine(initial))
	reply.Inline = initial != nil
	return reply, err
}

func (c *lineConn) Respond(ctx context.Context, response []byte) (sasl.Reply, error) {
	return c.exchange(encodeLine(response))
}

// Abort returns nil if the server has refused the exchange, as the protocol demands.
func (c *lineConn) Abort(ctx context.Context) error {
	reply, err := c.exchange("*")
	if _, refused := err.(*sasl.Failure); refused {
		return nil
	}
	return fmt.Errorf("%w: the answer to an abort is %v", sasl.ErrProtocol, reply)
}

func (c *lineConn) exchange(line string) (sasl.Reply, error) {
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		return sasl.Reply{}, fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	answer, err := c.reader.ReadString('\n') // a real adapter limits the line
	if err != nil {
		return sasl.Reply{}, fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	word, rest, _ := strings.Cut(strings.TrimSpace(answer), " ")
	if word == "NO" {
		return sasl.Reply{}, &sasl.Failure{Condition: sasl.Condition(rest), Text: rest}
	}
	data, err := decodeLine(rest)
	if err != nil || word != "+" && word != "OK" {
		return sasl.Reply{}, fmt.Errorf("%w: the server sent an invalid line", sasl.ErrProtocol)
	}
	return sasl.Reply{Data: data, Done: word == "OK"}, nil
}

func encodeLine(message []byte) string {
	if message == nil {
		return "-"
	}
	return "=" + base64.StdEncoding.EncodeToString(message)
}

func decodeLine(text string) ([]byte, error) {
	if text == "-" {
		return nil, nil
	}
	return sasl.DecodeBase64(strings.TrimPrefix(text, "="))
}

// serveLines is the server's side of the protocol.
func serveLines(conn io.ReadWriteCloser, server *sasl.Server, info sasl.ConnInfo) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	line, _ := reader.ReadString('\n')
	fields := strings.Fields(line) // AUTH mechanism message
	run, err := server.Begin(context.Background(), info, fields[1])
	for message := fields[2]; ; {
		var response, challenge []byte
		var done bool
		if err == nil {
			response, err = decodeLine(message)
		}
		if err == nil {
			challenge, done, err = run.Respond(context.Background(), response)
		}
		switch {
		case err != nil:
			fmt.Fprintf(conn, "NO %s\n", sasl.NotAuthorized)
			return
		case done:
			fmt.Fprintf(conn, "OK %s\n", encodeLine(challenge))
			return
		}
		fmt.Fprintf(conn, "+ %s\n", encodeLine(challenge))
		line, _ = reader.ReadString('\n')
		message = strings.TrimSpace(line)
	}
}

// The author of an adapter implements Interface. sasltest.TestAdapter tests the rules
// of its methods.
func ExampleInterface() {
	near, far := pipe()
	record, err := sasl.DeriveSCRAM(context.Background(), sasl.SHA256, "secret", nil, 4096)
	if err != nil {
		fmt.Println(err)
		return
	}
	server := &sasl.Server{
		Key: sasl.NewSecret("sixteen octets or more"),
		Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(sasl.SHA256, func(context.Context, sasl.Hash, string) (*sasl.SCRAMRecord, error) {
			return record, nil
		})},
		SuccessData: true,
	}
	go serveLines(far, server, sasl.ConnInfo{Secure: true})

	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
	conn := newLineConn(near)
	result, err := auth.Authenticate(context.Background(), conn, sasl.ServerInfo{
		Host: "example.org", Secure: true, SuccessData: true, Mechanisms: []string{"SCRAM-SHA-256"},
	})
	fmt.Println(result.Mechanism, result.Username, result.RoundTrips, err)
	// Output: SCRAM-SHA-256 alice 2 <nil>
}

// pipe takes the place of a connection.
func pipe() (near, far io.ReadWriteCloser) {
	r1, w1 := io.Pipe()
	r2, w2 := io.Pipe()
	return end{r1, w2}, end{r2, w1}
}

type end struct {
	*io.PipeReader
	writer *io.PipeWriter
}

func (e end) Write(p []byte) (int, error) { return e.writer.Write(p) }

func (e end) Close() error {
	e.writer.Close()
	return e.PipeReader.Close()
}
