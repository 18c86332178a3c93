package saslxmpp

import (
	"context"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"mellium.im/xmpp/jid"

	sasl "github.com/saslkit/saslkit/core"
)

// sasl2 is the profile of XEP-0388 as a sasl.Interface.
type sasl2 struct {
	link
	login   *Login
	offered *offer
	bind2   bool
	domain  jid.JID
	request sasl.TokenRequest
	issued  *sasl.IssuedToken // nil = none
	asked   bool              // a resource was requested

	address    jid.JID
	extensions []Element
	tasks      []string
}

// Initiate sends <authenticate/> (XEP-0388 s2.4).
func (x *sasl2) Initiate(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	x.address, x.extensions, x.tasks = jid.JID{}, nil, nil // those of an earlier attempt
	text, err := x.first(mechanism, initial)
	if err != nil {
		return sasl.Reply{}, err
	}
	reply, err := x.exchange(ctx, text)
	reply.Inline = initial != nil
	return reply, err
}

// first returns the element that begins an exchange. An empty initial response is an
// empty element; a nil one has no element.
func (x *sasl2) first(mechanism string, initial []byte) (string, error) {
	var b strings.Builder
	if initial != nil {
		b.WriteString(tag("initial-response", encode(initial)))
	}
	b.WriteString(x.login.UserAgent.xml())
	x.writeTokens(&b)
	if err := x.writeInline(&b); err != nil {
		return "", err
	}
	return tag("authenticate xmlns='"+nsSASL2+"' mechanism='"+mechanism+"'", b.String()), nil
}

// Respond sends <response/>.
func (x *sasl2) Respond(ctx context.Context, response []byte) (sasl.Reply, error) {
	return x.exchange(ctx, tag("response xmlns='"+nsSASL2+"'", encode(response)))
}

// Abort sends <abort/> (XEP-0388 s2.5). Some servers end the stream then, and the
// Client closes the connection.
func (x *sasl2) Abort(context.Context) error { return x.abort(nsSASL2) }

func (a *UserAgent) xml() string {
	if *a == (UserAgent{}) {
		return ""
	}
	name := "user-agent"
	if a.ID != "" {
		name += " id='" + escape(a.ID) + "'"
	}
	text := ""
	if a.Software != "" {
		text += tag("software", escape(a.Software))
	}
	if a.Device != "" {
		text += tag("device", escape(a.Device))
	}
	return tag(name, text)
}

// writeInline writes the elements of the features that the server offers inline.
func (x *sasl2) writeInline(b *strings.Builder) error {
	if x.bind2 && x.login.BindTag != "" && x.offersInline(nsBind2) {
		x.asked = true
		b.WriteString(tag("bind xmlns='"+nsBind2+"'", tag("tag", escape(x.login.BindTag))))
	}
	for _, feature := range x.login.Inline {
		if !x.offersInline(feature.Space) {
			continue
		}
		text, err := xml.Marshal(feature.Request)
		if err != nil {
			return fmt.Errorf("%w: the inline feature %q: %w", sasl.ErrConfig, feature.Space, err)
		}
		x.asked = x.asked || feature.Space == nsBind2
		b.Write(text)
	}
	return nil
}

func (x *sasl2) offersInline(space string) bool {
	return slices.ContainsFunc(x.offered.inline, func(e Element) bool { return e.Name.Space == space })
}

func (x *sasl2) exchange(ctx context.Context, text string) (sasl.Reply, error) {
	answer, err := x.ask(ctx, text)
	if err != nil {
		return sasl.Reply{}, err
	}
	switch answer.Name {
	case xml.Name{Space: nsSASL2, Local: "challenge"}:
		return x.challenge(&answer)
	case xml.Name{Space: nsSASL2, Local: "success"}:
		return x.success(&answer)
	case xml.Name{Space: nsSASL2, Local: "failure"}:
		return sasl.Reply{}, x.failure(failure(&answer))
	case xml.Name{Space: nsSASL2, Local: "continue"}:
		return sasl.Reply{}, x.demands(&answer)
	}
	return sasl.Reply{}, unexpected(&answer)
}

// success reads <success/> (XEP-0388 s2.6.1). Without its element the additional
// data is absent.
func (x *sasl2) success(e *Element) (sasl.Reply, error) {
	reply := sasl.Reply{Done: true}
	if additional, ok := e.child(nsSASL2, "additional-data"); ok {
		data, err := decodeMessage(additional.Text)
		if err != nil {
			return sasl.Reply{}, err
		}
		reply.Data = data
	}
	address, err := x.authorized(e)
	if err != nil {
		return sasl.Reply{}, err
	}
	x.address = address
	for i := range e.Children {
		switch child := &e.Children[i]; {
		case child.Name == xml.Name{Space: nsFAST, Local: "token"}:
			x.issued = issuedToken(child)
		case child.Name.Space != nsSASL2:
			x.extensions = append(x.extensions, *child)
		}
	}
	if x.isBound() && (!x.asked || address.Resourcepart() == "") {
		return sasl.Reply{}, fmt.Errorf("%w: the server bound a resource without a request, or without its name", sasl.ErrProtocol)
	}
	return reply, nil
}

// authorized reads the address that the server assigns to the client.
func (x *sasl2) authorized(e *Element) (jid.JID, error) {
	identifier, ok := e.child(nsSASL2, "authorization-identifier")
	if !ok {
		return jid.JID{}, fmt.Errorf("%w: the server announced success without an authorization identifier", sasl.ErrProtocol)
	}
	address, err := jid.Parse(identifier.Text)
	if err != nil {
		return jid.JID{}, fmt.Errorf("%w: the server sent an invalid authorization identifier: %s", sasl.ErrProtocol, sasl.Printable(err.Error()))
	}
	if address.Localpart() == "" {
		return jid.JID{}, fmt.Errorf("%w: the server sent an authorization identifier without a local part", sasl.ErrProtocol)
	}
	if !address.Domain().Equal(x.domain) {
		return jid.JID{}, fmt.Errorf("%w: the server sent an authorization identifier of the domain %q, not %q",
			sasl.ErrProtocol, sasl.Printable(address.Domainpart()), x.domain.Domainpart())
	}
	return address, nil
}

// demands reads <continue/> (XEP-0388 s2.6.3).
func (x *sasl2) demands(e *Element) error {
	demanded := &TasksError{Tasks: []string{}}
	if tasks, ok := e.child(nsSASL2, "tasks"); ok {
		demanded.Tasks = tasks.texts(nsSASL2, "task")
	}
	if text, ok := e.child(nsSASL2, "text"); ok {
		demanded.Text = text.Text
	}
	if x.hides(append(demanded.Tasks, demanded.Text)...) {
		return fmt.Errorf("%w: the server demands another task, whose name is withheld, because it repeats a secret", sasl.ErrAuthorization)
	}
	x.tasks = demanded.Tasks
	return demanded
}

// isBound reports whether a resource was bound together with the authentication.
func (x *sasl2) isBound() bool {
	return slices.ContainsFunc(x.extensions, func(e Element) bool {
		return e.Name == xml.Name{Space: nsBind2, Local: "bound"}
	})
}
