package saslxmpp

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	sasl "github.com/saslkit/saslkit/core"
)

// bind gives a client that has authenticated a resource (RFC 6120 s7).
func (c *client) bind(_ context.Context, s *xmpp.Session, _ any) (xmpp.SessionState, io.ReadWriter, error) {
	reader := s.TokenReader()
	defer reader.Close()
	x := link{reader: requeued{reader}, conn: s.Conn(), limited: c.limited}
	iq, err := readElement(x.reader)
	if err != nil {
		return 0, nil, err
	}
	resource := rand.Text()
	asked, ok := iq.child(nsBind, "bind")
	if ok {
		if wanted, ok := asked.child(nsBind, "resource"); ok && wanted.Text != "" {
			resource = wanted.Text
		}
	}
	address, err := c.address.WithResource(resource)
	if !ok || err != nil || iq.attr("type") != "set" {
		x.write(tag("iq type='error' id='"+escape(iq.attr("id"))+"'", tag("error type='modify'", tag("bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'", ""))))
		return 0, nil, fmt.Errorf("%w: the client asks for a resource that is none", sasl.ErrProtocol)
	}
	c.accepted.Address = address
	return xmpp.Ready, nil, x.write(tag("iq type='result' id='"+escape(iq.attr("id"))+"'",
		tag("bind xmlns='"+nsBind+"'", tag("jid", escape(address.String())))))
}

// asThemselves lets users in who are nobody else, also under their address.
func asThemselves(_ context.Context, id sasl.Identity, conn sasl.ConnInfo) error {
	own, err := jid.New(id.Username, conn.Host, "")
	if id.Authzid != "" && (err != nil || own.Localpart() != id.Username || own.String() != id.Authzid) {
		return fmt.Errorf("%w: %q may not act as %q", sasl.ErrAuthorization, sasl.Printable(id.Username), sasl.Printable(id.Authzid))
	}
	return nil
}

// login finds out who has authenticated. What the stream says it is from has to
// be the same.
func (c *client) login(s *xmpp.Session, result sasl.Result) error {
	address, err := c.domain.addressOf(result)
	switch from := s.RemoteAddr(); {
	case err != nil && sasl.ClassOf(err) == "":
		return fmt.Errorf("%w: %w", sasl.ErrAuthorization, err)
	case err != nil:
		return err
	case address.Localpart() == "" || !address.Domain().Equal(c.domain.Name):
		return fmt.Errorf("%w: %q is nobody's address here", sasl.ErrAuthorization, sasl.Printable(address.String()))
	case !c.may(from, address.Bare()):
		return &sasl.Failure{Class: sasl.ErrAuthorization, Condition: sasl.InvalidAuthzid, Text: "The stream is from somebody else"}
	}
	c.accepted.Result, c.address = result, address.Bare()
	return nil
}

func (d *Domain) addressOf(result sasl.Result) (jid.JID, error) {
	if d.AddressOf != nil {
		return d.AddressOf(result)
	}
	name, written := result.Authzid, func(address jid.JID) string { return address.String() }
	address, err := jid.Parse(name)
	if name == "" {
		name, written = result.Username, jid.JID.Localpart
		address, err = jid.New(name, d.Name.Domainpart(), "")
	}
	if err == nil && (written(address) != name || address.Resourcepart() != "") {
		err = fmt.Errorf("%w: %q is written %q in an address", sasl.ErrAuthorization, sasl.Printable(name), sasl.Printable(written(address)))
	}
	return address, err
}

// may reports whether the stream of a client may be from there: who does not say,
// or has no address yet, is nobody else.
func (c *client) may(from, address jid.JID) bool {
	return from.Equal(jid.JID{}) || from.Equal(c.domain.Name) || from.Bare().Equal(address)
}

// check holds the session to what was proved: the stream after authentication
// may be from somebody else than the one before.
func (c *client) check(s *xmpp.Session) error {
	from := s.RemoteAddr()
	switch {
	case s.State()&xmpp.Authn == 0:
		return fmt.Errorf("%w: the session is ready without authentication", sasl.ErrSecurity)
	case c.accepted.Address.Equal(jid.JID{}):
		return fmt.Errorf("%w: the client has no resource", sasl.ErrProtocol)
	case !c.may(from, c.address):
		return fmt.Errorf("%w: the client has authenticated as %q, and its stream is from %q", sasl.ErrAuthorization, c.address, sasl.Printable(from.String()))
	}
	return nil
}
