package saslldap

import (
	"context"
	"fmt"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// rootDSE is a server's description of itself (RFC 4512 s5.1).
type rootDSE struct {
	mechanisms []string // nil if the server does not list any
	openLDAP   bool
	shown      bool   // the server has shown the entry, with or without a list
	result     result // of the search
}

// ErrNoList is the error of a SASLBind to a server that does not show its list of
// mechanisms, if Options.Mechanisms has none either. The server may have SASL all
// the same: access to the root DSE may be restricted (RFC 4512 s5.1). Its class is
// ErrPolicy.
var ErrNoList = fmt.Errorf("%w: the server does not show its list of SASL mechanisms", sasl.ErrPolicy)

// noList is an ErrNoList with the reason, and the error of a login for which nothing
// is offered.
type noList struct {
	reason string
	login  error
}

func (e *noList) Error() string {
	return ErrNoList.Error() + " (" + sasl.Printable(e.reason) + "): set Options.Mechanisms if you know its mechanisms"
}

func (e *noList) Unwrap() []error { return []error{ErrNoList, e.login} }

// unlisted returns why there is no list.
func (root rootDSE) unlisted() string {
	switch {
	case root.shown:
		return "its root DSE has no supportedSASLMechanisms"
	case root.result.code != ldap.LDAPResultSuccess:
		return root.result.words()
	}
	return "it does not show its root DSE"
}

// rootDSE reads the root DSE as a step before the authentication. It closes the
// connection on an error.
func (c *Client) rootDSE(ctx context.Context) (root rootDSE, err error) {
	limit := transport.AnswerTimeout(c.options.StepTimeout)
	err = transport.Run(ctx, transport.Capabilities, limit, c.mux.ending(errUnanswered), func(ctx context.Context) (err error) {
		if root, err = c.readRootDSE(ctx); err != nil {
			return err
		}
		return root.busy()
	})
	if err != nil {
		c.mux.end(errUnanswered)
	}
	return root, err
}

// busy returns an ErrTemporary if the server does not answer for the time being.
func (root rootDSE) busy() error {
	switch root.result.code {
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable:
		return &resultError{sasl.ErrTemporary, "the server does not show its list of mechanisms at this time", root.result}
	}
	return nil
}

// readRootDSE reads the root DSE, in every state of the session. It does not go
// through the library, which has no bounds. A server that refuses shows nothing.
func (c *Client) readRootDSE(ctx context.Context) (root rootDSE, err error) {
	id := c.takeID()
	frames, err := c.mux.roundTrip(ctx, newOwnRequest(id, true), encodeRootDSE(id))
	if err != nil {
		return rootDSE{}, err
	}
	for _, f := range frames[:len(frames)-1] {
		if f.op != searchEntry {
			continue // a reference, which the root DSE has no use for
		}
		if root.shown {
			return rootDSE{}, fmt.Errorf("%w: the server sent more than one root DSE", sasl.ErrProtocol)
		}
		if err := root.read(f); err != nil {
			return rootDSE{}, err
		}
	}
	r, err := decodeResult(frames[len(frames)-1], searchDone)
	root.result = c.mux.examine(r)
	return root, err
}

// read reads the entry (RFC 4511 s4.5.2). An operational attribute has the same form.
func (root *rootDSE) read(f frame) error {
	packet, err := decodeOwn(f)
	if err != nil || len(packet.Children) < 2 || len(packet.Children[1].Children) != 2 {
		return errFrame
	}
	root.shown = true
	for _, attribute := range packet.Children[1].Children[1].Children {
		if len(attribute.Children) != 2 {
			return errFrame
		}
		name, _ := attribute.Children[0].Value.(string)
		for _, value := range attribute.Children[1].Children {
			root.add(name, value)
		}
	}
	return nil
}

func (root *rootDSE) add(name string, value *ber.Packet) {
	text, _ := value.Value.(string)
	switch {
	case strings.EqualFold(name, "supportedSASLMechanisms"):
		root.mechanisms = append(root.mechanisms, strings.ToUpper(strings.TrimSpace(text)))
	case strings.EqualFold(name, "objectClass") && strings.EqualFold(text, "OpenLDAProotDSE"):
		root.openLDAP = true
	}
}

// encodeRootDSE returns the search for the root DSE (RFC 4511 s4.5.1).
func encodeRootDSE(id int64) []byte {
	request := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchRequest, nil, "SearchRequest")
	request.AppendChild(octets("")) // the root
	request.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, ldap.ScopeBaseObject, "scope"))
	request.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, ldap.NeverDerefAliases, "derefAliases"))
	request.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, "sizeLimit"))
	request.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 0, "timeLimit"))
	request.AppendChild(ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, false, "typesOnly"))
	request.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 7, "objectClass", "present"))
	attributes := ber.NewSequence("attributes")
	attributes.AppendChild(octets("supportedSASLMechanisms"))
	attributes.AppendChild(octets("objectClass"))
	request.AppendChild(attributes)
	return encodeMessage(id, request)
}
