package saslimap

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"sync/atomic"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Conn is an IMAP connection that is to be authenticated. One goroutine uses its
// methods; Close may come from another.
type Conn struct {
	conn    net.Conn // the connection that was given, or TLS over it
	reader  *bufio.Reader
	info    sasl.ServerInfo
	options Options

	capabilities  []string // in upper case, in the server's order; nil = not known
	fresh         bool     // they came with the last answer
	alerts        alerts
	screens       []func(text string) bool // of every login: whether a text repeats a secret of the login
	lastTag       int
	tag           string // of the exchange that is open; "" = none is
	spoken        bool   // the server has sent something
	preauth       bool
	authenticated bool
	handedOver    bool
	closed        atomic.Bool
}

// ServerInfo returns what is known about the server and the connection. The
// mechanisms are in the order of the server's list. LoginCommandName follows if
// Options.LoginCommand is set and the server does not list LOGINDISABLED.
func (c *Conn) ServerInfo() sasl.ServerInfo {
	info := c.info
	for _, capability := range c.capabilities {
		// A server cannot offer the command as a mechanism.
		if mechanism, ok := strings.CutPrefix(capability, "AUTH="); ok && mechanism != LoginCommandName {
			info.Mechanisms = append(info.Mechanisms, mechanism)
		}
	}
	if c.options.LoginCommand && !c.has("LOGINDISABLED") {
		info.Mechanisms = append(info.Mechanisms, LoginCommandName)
	}
	return info
}

// Alerts returns the texts that the server wants a person to see (the response
// code ALERT, RFC 9051 s7.1), oldest first, at most 16, each once. To these belong
// the texts whose response code has a URL, which then follows the text. Nothing
// proves them. They have only printable characters and at most 512 octets each. A
// text that repeats a secret of a login is withheld, and a text that the error of
// Authenticate contains is left out.
func (c *Conn) Alerts() []string { return c.alerts.screened(c.repeats) }

// Authenticate authenticates the connection. After a refusal that left the
// connection in sync it may be called again. The connection is closed after an
// ErrConnection, and after an ErrSecurity of a run in which something was sent.
// A StepTimeout that has passed is an ErrConnection that matches
// os.ErrDeadlineExceeded.
//
// A server that greeted with PREAUTH is an ErrSecurity: it claims to know the
// client already. A server with LOGINDISABLED and no mechanism on a connection
// without TLS is an ErrPolicy. A server that lists no mechanism, and may have the LOGIN
// command, is an ErrLoginCommand. A connection that is authenticated already, or that
// was handed over, is an ErrConfig. Other errors are those of sasl.Client.
func (c *Conn) Authenticate(ctx context.Context, auth *sasl.Client) (sasl.Result, error) {
	switch info := c.ServerInfo(); {
	case c.handedOver || c.authenticated:
		return sasl.Result{}, fmt.Errorf("%w: the connection is authenticated already, or was handed over; make another one", sasl.ErrConfig)
	case c.preauth:
		c.Close()
		return sasl.Result{}, fmt.Errorf("%w: the server greeted with PREAUTH, as if the client were authenticated", sasl.ErrSecurity)
	case len(info.Mechanisms) == 0 && c.has("LOGINDISABLED") && info.TLSVersion == 0:
		return sasl.Result{}, fmt.Errorf("%w: the server demands TLS before a login (LOGINDISABLED); use DialTLS or DialStartTLS", sasl.ErrPolicy)
	default:
		c.screens = append(c.screens, func(string) bool { return false })
		result, err := auth.Authenticate(ctx, protocol{c}, info)
		c.authenticated = err == nil
		c.alerts.shownIn(err)
		if len(info.Mechanisms) == 0 && sasl.ClassOf(err) == sasl.ErrPolicy && !c.has("LOGINDISABLED") {
			err = fmt.Errorf("%w; %w: set Options.LoginCommand to allow it", err, ErrLoginCommand)
		}
		return result, err
	}
}

// Close closes the connection at once, without LOGOUT. It may be called at any
// time and more than once.
func (c *Conn) Close() error {
	c.closed.Store(true)
	return transport.Close(c.conn)
}

// protocol is a Conn as a sasl.DeferringInterface and a sasl.ScreeningInterface.
type protocol struct{ *Conn }

// maxInline is the longest initial response on the line of the command, in octets:
// 7936 in base64. A server should accept a line of 8000 octets (RFC 2683 s3.2.1.5).
const maxInline = 5952

// Initiate sends AUTHENTICATE (RFC 9051 s6.2.2), or LOGIN. The initial response is on
// the line if the server allows that (SASL-IR, RFC 4959; IMAP4rev2) and it is not too
// long, else it answers the server's first, empty challenge.
func (p protocol) Initiate(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	switch inline := p.has("SASL-IR") || p.has("IMAP4REV2"); {
	case mechanism == LoginCommandName:
		return p.login(ctx, initial)
	case initial == nil:
		return p.authenticate(ctx, mechanism)
	case !inline || len(initial) > maxInline:
		return p.InitiateDeferred(ctx, mechanism, initial)
	}
	text := "="
	if len(initial) > 0 {
		text = base64.StdEncoding.EncodeToString(initial)
	}
	reply, err := p.authenticate(ctx, mechanism+" "+text)
	if refused, ok := err.(*sasl.Failure); ok {
		refused.Unread = isBad(refused.Err)
	}
	reply.Inline = true
	return reply, err
}

// InitiateDeferred sends AUTHENTICATE and, in answer to the server's first, empty
// challenge, the initial response.
func (p protocol) InitiateDeferred(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	waiting := transport.Defer(initial)
	reply, err := p.authenticate(ctx, mechanism)
	return waiting.Answer(reply, err, func(initial []byte) (sasl.Reply, error) { return p.Respond(ctx, initial) })
}

// authenticate sends the command that begins an exchange, and reads the answer.
func (p protocol) authenticate(ctx context.Context, arguments string) (sasl.Reply, error) {
	p.tag = p.nextTag()
	return p.exchange(ctx, p.tag+" AUTHENTICATE "+arguments)
}

// Respond sends a response.
func (p protocol) Respond(ctx context.Context, response []byte) (sasl.Reply, error) {
	return p.exchange(ctx, base64.StdEncoding.EncodeToString(response))
}

// Abort cancels the exchange with "*" (RFC 9051 s6.2.2).
func (p protocol) Abort(context.Context) error {
	if p.tag == "" {
		return fmt.Errorf("%w: no exchange is open that could be cancelled", sasl.ErrProtocol)
	}
	tag := p.tag
	p.tag = ""
	resp, err := p.roundTrip("*", tag)
	if err == nil && (resp.ended != nil || resp.status != "NO" && resp.status != "BAD") {
		err = fmt.Errorf("%w: the server did not acknowledge the end of the exchange", sasl.ErrProtocol)
	}
	return err
}

// exchange sends a line of the exchange that is open, and reads the answer. The
// exchange stays open after a continuation request, well-formed or not.
func (p protocol) exchange(ctx context.Context, line string) (sasl.Reply, error) {
	tag := p.tag
	p.tag = ""
	resp, err := p.send(ctx, line, tag)
	switch {
	case err != nil:
		return sasl.Reply{}, err
	case resp.tag == "+":
		p.tag = tag
		challenge, err := decodeChallenge(resp.text)
		return sasl.Reply{Data: challenge}, err
	}
	return p.conclude(resp)
}

// send sends a line, and reads the answer to the command of the tag within the limit
// of a step.
func (p protocol) send(ctx context.Context, line, tag string) (resp response, err error) {
	err = transport.Within(ctx, transport.AnswerTimeout(p.options.StepTimeout), p.conn, func(context.Context) (err error) {
		resp, err = p.roundTrip(line, tag)
		return err
	})
	return resp, p.screen(err)
}

// conclude translates the tagged response that ends a login.
func (p protocol) conclude(resp response) (sasl.Reply, error) {
	if resp.status == "OK" {
		if !p.fresh {
			p.capabilities = nil // the list from before the login is out of date
		}
		return sasl.Reply{Done: true}, nil
	}
	refused := p.screen(failure(resp.words(), resp.refusal()))
	if resp.ended != nil { // the class keeps the Client from another attempt
		refused = fmt.Errorf("%w: %w", p.screen(resp.ended), refused)
	}
	return sasl.Reply{}, refused
}
