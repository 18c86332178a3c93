package saslimap

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"

	sasl "github.com/saslkit/saslkit/core"
)

// Initiate sends AUTHENTICATE (RFC 9051 s6.2.2), with the initial response on
// the line if the server allows that (SASL-IR, RFC 4959), else in answer to
// its first, empty challenge. It is for sasl.Client; call Authenticate.
func (c *Conn) Initiate(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	switch inline := c.has("SASL-IR") || c.has("IMAP4REV2"); {
	case initial == nil:
		return c.authenticate(mechanism)
	case !inline:
		return c.InitiateDeferred(ctx, mechanism, initial)
	}
	text := "="
	if len(initial) > 0 {
		text = c.encode(initial)
	}
	reply, err := c.authenticate(mechanism + " " + text)
	if refused, ok := err.(*sasl.Failure); ok {
		refused.Unread = isBad(refused.Err)
	}
	reply.Inline = true
	return reply, err
}

// InitiateDeferred sends AUTHENTICATE and, in answer to the server's first, empty
// challenge, the initial response. It is for sasl.Client; call Authenticate.
func (c *Conn) InitiateDeferred(_ context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	reply, err := c.authenticate(mechanism)
	switch {
	case err != nil:
		return reply, err
	case reply.Done:
		return sasl.Reply{}, fmt.Errorf("%w: the server announced success before it had our first message", sasl.ErrSecurity)
	case len(reply.Data) > 0:
		return sasl.Reply{}, fmt.Errorf("%w: the server sent a challenge where it must ask for the initial response", sasl.ErrProtocol)
	}
	return c.exchange(c.encode(initial))
}

// authenticate sends the command that begins an exchange, and reads the answer.
func (c *Conn) authenticate(arguments string) (sasl.Reply, error) {
	c.tag = c.nextTag()
	return c.exchange(c.tag + " AUTHENTICATE " + arguments)
}

// encode returns a message as the server sees it, and notes it: no alert may
// repeat it.
func (c *Conn) encode(message []byte) string {
	text := base64.StdEncoding.EncodeToString(message)
	c.payload = sasl.NewSecret(text)
	return text
}

// Respond sends a response. It is for sasl.Client; call Authenticate.
func (c *Conn) Respond(_ context.Context, response []byte) (sasl.Reply, error) {
	return c.exchange(c.encode(response))
}

// Abort cancels the exchange with "*". It is for sasl.Client.
func (c *Conn) Abort(context.Context) error {
	if c.tag == "" {
		return fmt.Errorf("%w: there is no exchange that could be cancelled", sasl.ErrProtocol)
	}
	if err := c.writeLine("*"); err != nil {
		return err
	}
	resp, err := c.await(c.tag)
	if err != nil {
		return err
	}
	c.tag = ""
	if resp.status != "NO" && resp.status != "BAD" {
		return fmt.Errorf("%w: the server did not acknowledge the end of the exchange", sasl.ErrProtocol)
	}
	return nil
}

// exchange sends a line of the exchange that is open and reads the answer. The
// exchange stays open after a continuation request, well-formed or not.
func (c *Conn) exchange(line string) (sasl.Reply, error) {
	tag := c.tag
	c.tag = ""
	if err := c.writeLine(line); err != nil {
		return sasl.Reply{}, err
	}
	resp, err := c.await(tag)
	if err != nil {
		return sasl.Reply{}, err
	}
	switch {
	case resp.tag == "+":
		c.tag = tag
		challenge, err := decodeChallenge(resp.text)
		return sasl.Reply{Data: challenge}, err
	case resp.status == "OK":
		if !c.fresh {
			c.capabilities = nil // what is offered now is not what was before
		}
		return sasl.Reply{Done: true}, nil
	}
	return sasl.Reply{}, resp.failure()
}

// await reads until the continuation request or the tagged response of a
// command, and takes note of what comes in between.
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
			return response{}, fmt.Errorf("%w: the server answered a command that was not given", sasl.ErrProtocol)
		case resp.status == "BYE":
			return response{}, fmt.Errorf("%w: the server says goodbye: %s", sasl.ErrConnection, sasl.Printable(resp.text))
		}
	}
	return response{}, fmt.Errorf("%w: the server sent more than %d untagged responses", sasl.ErrProtocol, maxUntagged)
}

func (c *Conn) nextTag() string {
	c.lastTag++
	return "A" + strconv.Itoa(c.lastTag)
}

func (c *Conn) writeLine(line string) error {
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		return fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	return nil
}
