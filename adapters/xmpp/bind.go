package saslxmpp

import (
	"context"
	"fmt"
	"io"
	"slices"

	"mellium.im/xmpp"
	"mellium.im/xmpp/stanza"

	sasl "github.com/saslkit/saslkit/core"
)

// watched is a feature of the caller's. Of the one for resources it notes that
// it was used, and its errors are the server's; those of another are its own.
func (p *progress) watched(f xmpp.StreamFeature) xmpp.StreamFeature {
	negotiate := f.Negotiate
	if negotiate == nil {
		return f
	}
	f.Negotiate = func(ctx context.Context, s *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, error) {
		p.at = ""
		mask, rw, err := negotiate(ctx, s, data)
		switch refused, ok := err.(*stanza.Error); {
		case ok && refused == nil: // which has no text, and panics
			err = fmt.Errorf("%w: the server refused the feature %s, and does not say why", sasl.ErrProtocol, f.Name.Local)
		case f.Name.Space == nsBind:
			p.resource = err == nil
			err = bindRefusal(err)
		case err != nil && sasl.ClassOf(err) == "":
			err = &laterError{sasl.ClassOf(streamError(err)), "the feature " + f.Name.Local + ": " + sasl.Printable(err.Error()), err}
		}
		return mask, rw, err
	}
	return f
}

// check holds a session that is about to be ready to what was proved: what a
// server binds is an address of its choice (RFC 6120 s7.6.1).
func (p *progress) check(s *xmpp.Session, state xmpp.SessionState) error {
	address, bound := s.LocalAddr(), p.bound || p.resource
	binds := slices.ContainsFunc(p.others, func(f xmpp.StreamFeature) bool { return f.Name.Space == nsBind })
	switch {
	case state&xmpp.Authn == 0:
		return fmt.Errorf("%w: the server offered nothing to authenticate with, as if we were authenticated", sasl.ErrSecurity)
	case binds && !bound, bound && (address.Localpart() == "" || address.Resourcepart() == ""):
		return fmt.Errorf("%w: the server bound no resource", sasl.ErrProtocol)
	case bound && !address.Domain().Equal(s.RemoteAddr().Domain()),
		p.outcome.SASL2 && !address.Bare().Equal(p.outcome.Address.Bare()):
		return fmt.Errorf("%w: the server bound a resource of somebody else's than who has authenticated", sasl.ErrProtocol)
	}
	return nil
}
