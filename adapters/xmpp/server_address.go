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

// bind gives a resource to a client that has authenticated (RFC 6120 s7).
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
		return 0, nil, fmt.Errorf("%w: the client requested an invalid resource", sasl.ErrProtocol)
	}
	c.accepted.Address = address
	return xmpp.Ready, nil, x.write(tag("iq type='result' id='"+escape(iq.attr("id"))+"'",
		tag("bind xmlns='"+nsBind+"'", tag("jid", escape(address.String())))))
}

// asThemselves is an Authorize that admits users as themselves, also with their
// address as the authzid.
func asThemselves(_ context.Context, id sasl.Identity, conn sasl.ConnInfo) error {
	own, err := jid.New(id.Username, conn.Host, "")
	if id.Authzid != "" && (err != nil || own.Localpart() != id.Username || own.String() != id.Authzid) {
		return fmt.Errorf("%w: %q may not act as %q", sasl.ErrAuthorization, sasl.Printable(id.Username), sasl.Printable(id.Authzid))
	}
	return nil
}

// identify finds the address of a client that has authenticated, and compares it with
// the from of the stream.
func (c *client) identify(s *xmpp.Session, result sasl.Result) error {
	address, err := c.domain.addressOf(result)
	switch from := s.RemoteAddr(); {
	case err != nil && sasl.ClassOf(err) == "":
		return fmt.Errorf("%w: %w", sasl.ErrAuthorization, err)
	case err != nil:
		return err
	case address.Localpart() == "" || !address.Domain().Equal(c.domain.Name):
		return fmt.Errorf("%w: %q is not the address of a user of this domain", sasl.ErrAuthorization, sasl.Printable(address.String()))
	case !c.admits(from, address.Bare()):
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
		err = fmt.Errorf("%w: %q has the form %q in an address: set Server.Canonical to bring names into that form", sasl.ErrAuthorization, sasl.Printable(name), sasl.Printable(written(address)))
	}
	return address, err
}

// admits reports whether a client with this address may have a stream with this
// from. A missing from and the domain are admitted, because clients without an
// address send them.
func (c *client) admits(from, address jid.JID) bool {
	return from.Equal(jid.JID{}) || from.Equal(c.domain.Name) || from.Bare().Equal(address)
}

// verify compares a ready session with the authentication: the stream after the
// authentication may have another from than the stream before.
func (c *client) verify(s *xmpp.Session) error {
	from := s.RemoteAddr()
	switch {
	case s.State()&xmpp.Authn == 0:
		return fmt.Errorf("%w: the session is ready without authentication", sasl.ErrSecurity)
	case c.accepted.Address.Equal(jid.JID{}):
		return fmt.Errorf("%w: the client has no resource", sasl.ErrProtocol)
	case !c.admits(from, c.address):
		return fmt.Errorf("%w: the client has authenticated as %q, but its stream is from %q", sasl.ErrAuthorization, c.address, sasl.Printable(from.String()))
	}
	return nil
}
