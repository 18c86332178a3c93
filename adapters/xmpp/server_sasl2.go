package saslxmpp

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"mellium.im/xmlstream"
	"mellium.im/xmpp"

	sasl "github.com/saslkit/saslkit/core"
)

// listSASL2 lists the mechanisms of XEP-0388 s2.1, and those for tokens (XEP-0484
// s3.1).
func (c *client) listSASL2(e xmlstream.TokenWriter, info sasl.ConnInfo) error {
	offered := c.server.Offer(info)
	if !info.Secure || len(offered) == 0 {
		return nil
	}
	inline := Element{Name: xml.Name{Local: "inline"}}
	if tokens := c.server.OfferTokens(info); len(tokens) > 0 && c.domain.TokenLifetime > 0 {
		inline.Children = []Element{{Name: xml.Name{Space: nsFAST, Local: "fast"}, Children: names("mechanism", tokens)}}
	}
	list := Element{Name: xml.Name{Space: nsSASL2, Local: "authentication"}, Children: append(names("mechanism", offered), inline)}
	return list.encode(e)
}

// serveSASL2 is the server's side of XEP-0388 s2.
func (c *client) serveSASL2(ctx context.Context, s *xmpp.Session, info sasl.ConnInfo, x link) (io.ReadWriter, error) {
	var run *sasl.ServerSession
	var request tokenRequest
	for {
		e, err := readElement(x.reader)
		switch {
		case err != nil:
			return nil, err
		case e.Name.Space != nsSASL2:
			return nil, unexpected(&e)
		}
		text, present := e.Text, true
		switch e.Name.Local {
		case "authenticate":
			text, present = "", false
			if initial, ok := e.child(nsSASL2, "initial-response"); ok {
				text, present = initial.Text, true
			}
			if run != nil {
				err = errWithinExchange
			} else {
				run, request, err = c.begin(ctx, info, &e)
			}
		case "response":
		case "abort":
			err = errAborted
		default:
			return nil, unexpected(&e)
		}
		answer, done := "", false
		if err == nil {
			answer, done, err = c.respond2(ctx, s, run, &request, text, present)
		}
		if err != nil {
			err = c.refuse(x, nsSASL2, run, err)
			run = nil
		} else {
			err = x.write(answer)
		}
		if err != nil || done {
			return nil, err // no stream restart
		}
	}
}

// begin starts the exchange of an <authenticate/>.
func (c *client) begin(ctx context.Context, info sasl.ConnInfo, e *Element) (*sasl.ServerSession, tokenRequest, error) {
	c.mechanism = e.attr("mechanism")
	request, err := c.readRequest(e, info)
	if err != nil {
		return nil, request, c.server.Refuse(info, c.mechanism, err)
	}
	run, err := c.server.BeginWithToken(ctx, info, request.use, c.mechanism)
	return run, request, err
}

// respond2 passes a message of the client on, and returns the answer: a challenge
// or, if done, success.
func (c *client) respond2(ctx context.Context, s *xmpp.Session, run *sasl.ServerSession, request *tokenRequest, text string, present bool) (answer string, done bool, err error) {
	data, done, err := c.step(ctx, s, run, text, present)
	switch {
	case err != nil:
		return "", false, err
	case done:
		answer, err = c.success(ctx, run, request, data)
		return answer, err == nil, err
	}
	return tag("challenge xmlns='"+nsSASL2+"'", encode(data)), false, nil
}

// tokenRequest is a client's request about tokens.
type tokenRequest struct {
	use       sasl.TokenUse
	mechanism string // the mechanism of the token that the client requests; "" = none
}

// readRequest reads <authenticate/>, except the message. A mechanism for tokens
// needs <fast/> and the ID of the client (XEP-0484 s3.4, s4.1).
func (c *client) readRequest(e *Element, info sasl.ConnInfo) (r tokenRequest, err error) {
	if !info.Secure {
		return r, &sasl.Failure{Class: sasl.ErrPolicy, Condition: sasl.EncryptionRequired}
	}
	if agent, ok := e.child(nsSASL2, "user-agent"); ok {
		if id := agent.attr("id"); uuid.MatchString(id) { // another ID does not identify a client
			r.use.ClientID = id
		}
	}
	fast, used := e.child(nsFAST, "fast")
	if used {
		r.use.Invalidate = slices.Contains([]string{"1", "true"}, fast.attr("invalidate"))
		if count := fast.attr("count"); count != "" {
			if r.use.Count, err = strconv.ParseUint(count, 10, 64); err != nil {
				return r, fmt.Errorf("%w: the client sent an invalid count", sasl.ErrProtocol)
			}
		}
	}
	if wanted, ok := e.child(nsFAST, "request-token"); ok {
		r.mechanism = wanted.attr("mechanism")
	}
	mechanism := e.attr("mechanism")
	if !slices.Contains(c.server.OfferTokens(info), mechanism) {
		return r, nil
	}
	if !used || r.use.ClientID == "" {
		return r, fmt.Errorf("%w: the client uses %s without <fast/> or without the id of a user agent", sasl.ErrProtocol, sasl.Printable(mechanism))
	}
	if !r.use.Invalidate && r.mechanism == "" {
		r.mechanism = mechanism // the token in use is replaced
	}
	return r, nil
}

// success returns <success/>, with a token if the client is to get one.
func (c *client) success(ctx context.Context, run *sasl.ServerSession, request *tokenRequest, data []byte) (string, error) {
	text := ""
	if data != nil {
		text = tag("additional-data", encode(data))
	}
	text += tag("authorization-identifier", escape(c.address.String()))
	if request.mechanism != "" && request.use.ClientID != "" && c.domain.TokenLifetime > 0 {
		expiry := time.Now().Add(c.domain.TokenLifetime).UTC()
		token, err := run.IssueToken(ctx, request.use.ClientID, request.mechanism, expiry)
		switch {
		case err == nil:
			text += tag("token xmlns='"+nsFAST+"' expiry='"+expiry.Format(time.RFC3339)+"' token='"+escape(string(token.Secret.Bytes()))+"'", "")
		case sasl.ClassOf(err) != sasl.ErrPolicy: // for an unknown mechanism the client gets no token
			return "", err
		}
	}
	return tag("success xmlns='"+nsSASL2+"'", text), nil
}
