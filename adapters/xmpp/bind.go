package saslxmpp

import (
	"fmt"
	"slices"

	"mellium.im/xmpp"
	"mellium.im/xmpp/stanza"

	sasl "github.com/saslkit/saslkit/core"
)

// check holds a session that is about to be ready to what was proved: what a
// server binds is an address of its choice (RFC 6120 s7.6.1).
func (p *progress) check(s *xmpp.Session, state xmpp.SessionState) error {
	address := s.LocalAddr()
	binds := slices.ContainsFunc(p.others, func(f xmpp.StreamFeature) bool { return f.Name.Space == nsBind })
	switch {
	case state&xmpp.Authn == 0:
		return fmt.Errorf("%w: the server offered nothing to authenticate with, as if we were authenticated", sasl.ErrSecurity)
	case (binds || p.bound) && (address.Localpart() == "" || address.Resourcepart() == ""):
		return fmt.Errorf("%w: the server bound no resource", sasl.ErrProtocol)
	case !address.Domain().Equal(p.domain),
		p.outcome.SASL2 && !address.Bare().Equal(p.outcome.Address.Bare()):
		return fmt.Errorf("%w: the server bound %q, who is not the one who has authenticated", sasl.ErrProtocol, sasl.Printable(address.String()))
	}
	return nil
}

// bindError is the refusal of a resource. The server's text is for errors.As
// alone: it was not looked through for what is secret.
type bindError struct {
	class   sasl.Class
	refused stanza.Error
}

func (e *bindError) Error() string {
	return e.class.Error() + ": the server refused to bind a resource: " + sasl.Printable(string(e.refused.Condition))
}

// Unwrap returns the class, and the library's error.
func (e *bindError) Unwrap() []error { return []error{e.class, e.refused} }

// bindRefusal gives the library's error for it a class. That is a nil pointer
// where the server gave no reason.
func bindRefusal(err error) error {
	refused, ok := err.(*stanza.Error)
	switch {
	case !ok:
		return err
	case refused == nil:
		return fmt.Errorf("%w: the server refused to bind a resource, and does not say why", sasl.ErrProtocol)
	case refused.Type == stanza.Wait:
		return &bindError{sasl.ErrTemporary, *refused}
	}
	return &bindError{sasl.ErrAuthorization, *refused}
}
