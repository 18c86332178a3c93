package saslxmpp

import (
	"context"
	"crypto/rand"
	"fmt"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stanza"

	sasl "github.com/saslkit/saslkit/core"
)

// bind makes the address of a client that asks for a resource.
func (c *client) bind(_ jid.JID, resource string) (jid.JID, error) {
	if resource == "" {
		resource = rand.Text()
	}
	address, err := c.address.WithResource(resource)
	if err != nil { // RFC 6120 s7.7.2.1
		return jid.JID{}, stanza.Error{Type: stanza.Modify, Condition: stanza.BadRequest}
	}
	c.accepted.Address = address
	return address, nil
}

// asThemselves lets users in who are nobody else, also under their address.
func asThemselves(_ context.Context, id sasl.Identity, conn sasl.ConnInfo) error {
	if id.Authzid != "" && id.Authzid != id.Username+"@"+conn.Host {
		return fmt.Errorf("%w: %q may not act as %q", sasl.ErrAuthorization, sasl.Printable(id.Username), sasl.Printable(id.Authzid))
	}
	return nil
}

// login finds out who has authenticated. What the stream says it is from has to
// be the same.
func (c *client) login(s *xmpp.Session, result sasl.Result) error {
	address, err := c.auth.addressOf(result)
	switch from := s.RemoteAddr(); {
	case err != nil && sasl.ClassOf(err) == "":
		return fmt.Errorf("%w: %w", sasl.ErrAuthorization, err)
	case err != nil:
		return err
	case address.Localpart() == "" || !address.Domain().Equal(c.auth.Domain):
		return fmt.Errorf("%w: %q is nobody's address here", sasl.ErrAuthorization, sasl.Printable(address.String()))
	case from.Localpart() != "" && !from.Bare().Equal(address.Bare()):
		return &sasl.Failure{Class: sasl.ErrAuthorization, Condition: sasl.InvalidAuthzid, Text: "The stream is from somebody else"}
	}
	c.accepted.Result, c.address = result, address.Bare()
	return nil
}

func (a *ServerAuth) addressOf(result sasl.Result) (jid.JID, error) {
	if a.Address != nil {
		return a.Address(result)
	}
	name, written := result.Authzid, func(address jid.JID) string { return address.String() }
	address, err := jid.Parse(name)
	if name == "" {
		name, written = result.Username, jid.JID.Localpart
		address, err = jid.New(name, a.Domain.Domainpart(), "")
	}
	if err == nil && written(address) != name {
		err = fmt.Errorf("%w: %q is written %q in an address", sasl.ErrAuthorization, sasl.Printable(name), sasl.Printable(written(address)))
	}
	return address, err
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
	case from.Localpart() != "" && !from.Bare().Equal(c.address):
		return fmt.Errorf("%w: the client has authenticated as %q, and its stream is from %q", sasl.ErrAuthorization, c.address, sasl.Printable(from.String()))
	}
	return nil
}

// declined tells the server's owner of a refusal that is not the Server's.
func (c *client) declined(mechanism string, reason error) error {
	if reason != nil && c.server.Refused != nil {
		c.server.Refused(mechanism, c.info, reason)
	}
	return reason
}
