package saslxmpp

import (
	"context"
	"encoding/xml"

	sasl "github.com/saslkit/saslkit/core"
)

// sasl1 is the profile of RFC 6120 s6 as a sasl.Interface.
type sasl1 struct{ link }

// Initiate sends <auth/> (RFC 6120 s6.4.2).
func (x *sasl1) Initiate(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	reply, err := x.exchange(ctx, x.first(mechanism, initial))
	reply.Inline = initial != nil
	return reply, err
}

// first returns the element that begins an exchange.
func (x *sasl1) first(mechanism string, initial []byte) string {
	text := encode(initial)
	if initial != nil && text == "" {
		text = "="
	}
	return tag("auth xmlns='"+nsSASL+"' mechanism='"+mechanism+"'", text)
}

// Respond sends <response/> (RFC 6120 s6.4.3).
func (x *sasl1) Respond(ctx context.Context, response []byte) (sasl.Reply, error) {
	return x.exchange(ctx, tag("response xmlns='"+nsSASL+"'", encode(response)))
}

// Abort sends <abort/>. The server answers with a <failure/> (RFC 6120 s6.4.4).
func (x *sasl1) Abort(context.Context) error { return x.abort(nsSASL) }

func (x *sasl1) exchange(ctx context.Context, text string) (sasl.Reply, error) {
	answer, err := x.ask(ctx, text)
	if err != nil {
		return sasl.Reply{}, err
	}
	switch answer.Name {
	case xml.Name{Space: nsSASL, Local: "challenge"}:
		return x.challenge(&answer)
	case xml.Name{Space: nsSASL, Local: "success"}:
		return success(&answer)
	case xml.Name{Space: nsSASL, Local: "failure"}:
		return sasl.Reply{}, x.failure(failure(&answer))
	}
	return sasl.Reply{}, unexpected(&answer)
}

// success returns the Reply for <success/>. Without a text the data is absent (RFC
// 6120 s6.4.6).
func success(e *Element) (sasl.Reply, error) {
	switch {
	case e.Children != nil:
		return sasl.Reply{}, unexpected(&e.Children[0])
	case e.Text == "":
		return sasl.Reply{Done: true}, nil
	}
	data, err := decodeMessage(e.Text)
	return sasl.Reply{Data: data, Done: err == nil}, err
}
