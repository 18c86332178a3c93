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

// listSASL2 is XEP-0388 s2.1, with the mechanisms for tokens (XEP-0484 s3.1).
func (c *client) listSASL2(e xmlstream.TokenWriter, info sasl.ConnInfo) error {
	offered := c.auth.Server.Offer(info)
	if !info.Secure || len(offered) == 0 {
		return nil
	}
	inline := Element{Name: xml.Name{Local: "inline"}}
	if tokens := c.auth.Server.OfferTokens(info); len(tokens) > 0 && c.auth.TokenLifetime > 0 {
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
		if err != nil {
			return nil, err
		}
		var text string
		var present bool
		switch e.Name {
		case xml.Name{Space: nsSASL2, Local: "authenticate"}:
			if run != nil {
				err = errWithinExchange
			} else if request, err = readTokenRequest(&e); err == nil {
				run, err = c.begin(ctx, info, &e, &request)
			}
			if initial, ok := e.child(nsSASL2, "initial-response"); ok {
				text, present = initial.Text, true
			}
		case xml.Name{Space: nsSASL2, Local: "response"}:
			text, present = e.Text, true
		case xml.Name{Space: nsSASL2, Local: "abort"}:
			err = errAborted
		default:
			return nil, unexpected(&e)
		}
		var data []byte
		var done bool
		if err == nil {
			data, done, err = c.step(ctx, s, run, text, present)
		}
		answer := tag("challenge xmlns='"+nsSASL2+"'", encode(data))
		if err == nil && done {
			answer, err = c.success(ctx, run, &request, data)
		}
		if err != nil {
			run = nil
			err = c.refuse(x, nsSASL2, err)
		} else {
			err = x.write(answer)
		}
		if err != nil || done && run != nil {
			return nil, err // no stream restart
		}
	}
}

// tokenRequest is what a client says of tokens.
type tokenRequest struct {
	use       sasl.TokenUse
	used      bool   // it has one
	mechanism string // for which it wants one; "" = it does not
}

func readTokenRequest(e *Element) (r tokenRequest, err error) {
	if agent, ok := e.child(nsSASL2, "user-agent"); ok {
		if id := agent.attr("id"); uuid.MatchString(id) { // another says nothing about which client it is
			r.use.ClientID = id
		}
	}
	if fast, ok := e.child(nsFAST, "fast"); ok {
		r.used = true
		r.use.Invalidate = slices.Contains([]string{"1", "true"}, fast.attr("invalidate"))
		if count := fast.attr("count"); count != "" {
			if r.use.Count, err = strconv.ParseUint(count, 10, 64); err != nil {
				return r, fmt.Errorf("%w: the count is no number", sasl.ErrProtocol)
			}
		}
	}
	if wanted, ok := e.child(nsFAST, "request-token"); ok {
		r.mechanism = wanted.attr("mechanism")
	}
	return r, nil
}

// begin starts a run. A mechanism that takes a token needs <fast/> and the name
// of the client (XEP-0484 s3.4, s4.1).
func (c *client) begin(ctx context.Context, info sasl.ConnInfo, e *Element, request *tokenRequest) (*sasl.ServerSession, error) {
	if !info.Secure {
		return nil, &sasl.Failure{Class: sasl.ErrPolicy, Condition: sasl.EncryptionRequired}
	}
	info.Token = request.use
	mechanism := e.attr("mechanism")
	takesToken := slices.Contains(c.auth.Server.OfferTokens(info), mechanism)
	if takesToken && (!request.used || request.use.ClientID == "") {
		return nil, fmt.Errorf("%w: %s without <fast/> or without the id of a user agent", sasl.ErrProtocol, sasl.Printable(mechanism))
	}
	if takesToken && !request.use.Invalidate && request.mechanism == "" {
		request.mechanism = mechanism // it is replaced
	}
	return c.auth.Server.Begin(ctx, info, mechanism)
}

// success is <success/>, with a token if one is due.
func (c *client) success(ctx context.Context, run *sasl.ServerSession, request *tokenRequest, data []byte) (string, error) {
	text := ""
	if data != nil {
		text = tag("additional-data", encode(data))
	}
	text += tag("authorization-identifier", escape(c.address.String()))
	if request.mechanism != "" && request.use.ClientID != "" && c.auth.TokenLifetime > 0 {
		expiry := time.Now().Add(c.auth.TokenLifetime).UTC()
		token, err := run.IssueToken(ctx, request.mechanism, expiry)
		switch {
		case err == nil:
			text += tag("token xmlns='"+nsFAST+"' expiry='"+expiry.Format(time.RFC3339)+"' token='"+escape(string(token.Secret.Bytes()))+"'", "")
		case sasl.ClassOf(err) != sasl.ErrPolicy: // a mechanism that there is not: it gets none
			return "", err
		}
	}
	return tag("success xmlns='"+nsSASL2+"'", text), nil
}
