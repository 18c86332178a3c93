package saslxmpp

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"

	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	sasl "github.com/saslkit/saslkit/core"
)

// maxRefusals is the number of attempts that a client has (RFC 6120 s6.4.5).
const maxRefusals = 5

// errTooManyRefusals ends a stream.
var errTooManyRefusals = fmt.Errorf("%w: the client was refused %d times", sasl.ErrAuthentication, maxRefusals)

func (c *client) listSASL(e xmlstream.TokenWriter, info sasl.ConnInfo) error {
	offered := c.server.Offer(info)
	if len(offered) == 0 {
		return nil
	}
	list := Element{Name: xml.Name{Space: nsSASL, Local: "mechanisms"}, Children: names("mechanism", offered)}
	return list.encode(e)
}

// serveSASL is the server's side of RFC 6120 s6.4.
func (c *client) serveSASL(ctx context.Context, s *xmpp.Session, info sasl.ConnInfo, x link) (io.ReadWriter, error) {
	var run *sasl.ServerSession
	for {
		e, err := readElement(x.reader)
		if err != nil {
			return nil, err
		}
		var answer string
		var done bool
		switch e.Name {
		case xml.Name{Space: nsSASL, Local: "auth"}:
			if run != nil {
				err = errWithinExchange
				break
			}
			c.mechanism = e.attr("mechanism")
			if run, err = c.server.Begin(ctx, info, c.mechanism); err == nil {
				answer, done, err = c.respond(ctx, s, run, e.Text, e.Text != "")
			}
		case xml.Name{Space: nsSASL, Local: "response"}:
			answer, done, err = c.respond(ctx, s, run, e.Text, true)
		case xml.Name{Space: nsSASL, Local: "abort"}:
			err = errAborted
		default:
			return nil, unexpected(&e)
		}
		switch {
		case err != nil:
			if err := c.refuse(x, nsSASL, run, err); err != nil {
				return nil, err
			}
			run = nil
		case done:
			return s.Conn(), x.write(answer)
		default:
			if err := x.write(answer); err != nil {
				return nil, err
			}
		}
	}
}

// errWithinExchange is the error of an exchange that begins within another
// exchange. It ends both.
var errWithinExchange = fmt.Errorf("%w: the client began an exchange within another one", sasl.ErrProtocol)

var errAborted = &sasl.Failure{Class: sasl.ErrProtocol, Condition: sasl.Aborted}

// respond passes a message of the client on, and returns the answer: a challenge
// or, if done, success.
func (c *client) respond(ctx context.Context, s *xmpp.Session, run *sasl.ServerSession, text string, present bool) (answer string, done bool, err error) {
	data, done, err := c.step(ctx, s, run, text, present)
	if err != nil {
		return "", false, err
	}
	name, text := "challenge", encode(data)
	if done {
		if name = "success"; data != nil && text == "" {
			text = "="
		}
	}
	return tag(name+" xmlns='"+nsSASL+"'", text), done, nil
}

// step decodes a message, passes it on, and logs the client in if the message
// completes the exchange.
func (c *client) step(ctx context.Context, s *xmpp.Session, run *sasl.ServerSession, text string, present bool) (data []byte, done bool, err error) {
	if run == nil {
		err = fmt.Errorf("%w: the client sent a response outside of an exchange", sasl.ErrProtocol)
		return nil, false, c.server.Refuse(c.info, c.mechanism, err)
	}
	var message []byte
	if present {
		if message, err = decodeMessage(text); err != nil {
			return nil, false, &sasl.Failure{Class: sasl.ErrProtocol, Condition: sasl.IncorrectEncoding}
		}
	}
	data, done, err = run.Respond(ctx, message)
	if err == nil && done {
		err = c.identify(s, run.Result())
	}
	return data, done, err
}

// refuse ends the run with the reason, sends the reason to the client, and returns an
// error after the last attempt. Without a run, the reason has been reported, or there
// is nothing to report.
func (c *client) refuse(x link, space string, run *sasl.ServerSession, reason error) error {
	if run != nil {
		reason = run.Refuse(reason)
	}
	c.address, *c.accepted = jid.JID{}, Accepted{}
	condition, text := refusalFor(reason)
	words := tag(string(condition)+" xmlns='"+nsSASL+"'", "")
	if text != "" {
		if space == nsSASL2 {
			words += tag("text", escape(text))
		} else {
			words += tag("text xmlns='"+nsSASL+"'", escape(text))
		}
	}
	if err := x.write(tag("failure xmlns='"+space+"'", words)); err != nil {
		return err
	}
	if c.refusals++; c.refusals >= maxRefusals {
		x.end("policy-violation")
		return errTooManyRefusals
	}
	return nil
}
