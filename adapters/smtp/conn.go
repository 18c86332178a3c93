package saslsmtp

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Conn is an SMTP connection that is to be authenticated. One goroutine uses its
// methods; Close may come from another.
type Conn struct {
	conn     net.Conn // the connection that was given, or TLS over it
	host     string
	options  Options
	protocol protocol
	info     sasl.ServerInfo

	heard         bool     // the server has sent an octet
	mechanisms    []string // of the last EHLO
	startsTLS     bool     // the last EHLO listed STARTTLS
	authenticated bool
	handedOver    bool
}

// ServerInfo returns what is known about the server and the connection.
func (c *Conn) ServerInfo() sasl.ServerInfo {
	info := c.info
	info.Mechanisms = slices.Clone(info.Mechanisms)
	return info
}

// Authenticate authenticates the connection. After a refusal that left the
// connection in sync it may be called again. The connection is closed after an
// ErrConnection, and after an ErrSecurity of a run in which something was sent.
// A StepTimeout that has passed is an ErrConnection that matches
// os.ErrDeadlineExceeded.
//
// A connection that is authenticated already, or that was handed over, is an
// ErrConfig. So is a message of more than 9216 octets, which are the 12288 of base64
// that RFC 4954 s4 has servers accept; nothing of it is sent. Other errors are
// those of sasl.Client; a refusal has a *Reply.
func (c *Conn) Authenticate(ctx context.Context, auth *sasl.Client) (sasl.Result, error) {
	if c.handedOver || c.authenticated {
		return sasl.Result{}, fmt.Errorf("%w: the connection is authenticated already, or was handed over; make another one", sasl.ErrConfig)
	}
	result, err := auth.Authenticate(ctx, &c.protocol, c.ServerInfo())
	c.authenticated = err == nil
	return result, err
}

// Close closes the connection at once, without QUIT. It may be called at any time
// and more than once.
func (c *Conn) Close() error { return transport.Close(c.conn) }

// maxCommand is the longest command line with an initial response, with its
// end, in octets (RFC 4954 s4).
const maxCommand = 512

// maxResponse is the longest line of an exchange that a server has to accept,
// without its end, in octets (RFC 4954 s4). A server that finds a line too long may
// not read to its end, and take the rest for commands. So nothing longer is sent.
const maxResponse = 12288

// protocol is an SMTP connection after EHLO as a sasl.Interface (RFC 4954). It is
// part of a Conn, or stands on the text protocol that a library exports and that
// nobody else uses meanwhile.
type protocol struct {
	reader *bufio.Reader
	writer *bufio.Writer
	closer io.Closer
	conn   net.Conn      // closed if the limit passes; nil = a library's, which has no limit
	limit  time.Duration // of each answer; 0 = none
	open   bool          // the server waits for a response
}

// Initiate sends AUTH (RFC 4954 s4). The initial response is on the line if the
// line then has at most 512 octets. Otherwise, and if the server finds the line too
// long, the initial response answers the server's first, empty challenge.
func (p *protocol) Initiate(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	line, deferred := authLine(mechanism, initial)
	reply, err := p.exchange(ctx, line)
	if initial != nil && !deferred && isLineTooLong(err) {
		deferred = true
		reply, err = p.exchange(ctx, "AUTH "+mechanism)
	}
	if !deferred {
		reply.Inline = initial != nil
		return reply, err
	}
	waiting := transport.Defer(initial)
	return waiting.Answer(reply, err, func(initial []byte) (sasl.Reply, error) { return p.Respond(ctx, initial) })
}

// authLine returns the command that begins an exchange, and reports whether the
// initial response has to wait.
func authLine(mechanism string, initial []byte) (line string, deferred bool) {
	line = "AUTH " + mechanism
	switch {
	case initial == nil:
		return line, false
	case len(initial) == 0:
		return line + " =", false
	}
	inline := line + " " + base64.StdEncoding.EncodeToString(initial)
	if len(inline)+len("\r\n") > maxCommand {
		return line, true
	}
	return inline, false
}

// Respond sends a response.
func (p *protocol) Respond(ctx context.Context, response []byte) (sasl.Reply, error) {
	return p.exchange(ctx, base64.StdEncoding.EncodeToString(response))
}

// Abort cancels the exchange with "*", to which the server answers 501.
func (p *protocol) Abort(context.Context) error {
	if !p.open {
		return fmt.Errorf("%w: no exchange is open that could be cancelled", sasl.ErrProtocol)
	}
	p.open = false
	r, err := p.roundTrip("*")
	if err == nil && r.code/100 != 5 && r.code/100 != 4 {
		err = fmt.Errorf("%w: the server did not acknowledge the end of the exchange", sasl.ErrProtocol)
	}
	return err
}

// Close closes the connection at once.
func (p *protocol) Close() error {
	if p.conn != nil {
		return transport.Close(p.conn)
	}
	return p.closer.Close()
}

// exchange sends a line of the exchange, and reads the answer within the limit of
// a step.
func (p *protocol) exchange(ctx context.Context, line string) (sasl.Reply, error) {
	p.open = false
	var r reply
	err := transport.Within(ctx, p.limit, p.conn, func(context.Context) (err error) {
		r, err = p.roundTrip(line)
		return err
	})
	switch {
	case err != nil:
		return sasl.Reply{}, err
	case r.code == 334:
		p.open = true
		challenge, err := decodeChallenge(r.text)
		return sasl.Reply{Data: challenge}, err
	case r.code == 235:
		return sasl.Reply{Done: true}, nil
	}
	return sasl.Reply{}, failure(r.refusal())
}
