package saslxmpp

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"mellium.im/xmpp"
	"mellium.im/xmpp/stanza"

	sasl "github.com/saslkit/saslkit/core"
)

// instrumented wraps a feature of the caller. For resource binding it records
// success and classifies the server's errors. Errors of other features are the
// feature's own.
func (p *progress) instrumented(f xmpp.StreamFeature) xmpp.StreamFeature {
	negotiate := f.Negotiate
	if negotiate == nil {
		return f
	}
	f.Negotiate = func(ctx context.Context, s *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, error) {
		p.at = ""
		mask, rw, err := negotiate(ctx, s, data)
		switch refused, ok := err.(*stanza.Error); {
		case ok && refused == nil: // its Error panics
			err = fmt.Errorf("%w: the server refused the feature %s without a reason", sasl.ErrProtocol, f.Name.Local)
		case f.Name.Space == nsBind:
			p.resource = err == nil
			err = p.screen.bindRefusal(err)
		case err != nil:
			err = p.screen.foreign("the feature "+f.Name.Local, err)
		}
		return mask, rw, err
	}
	return f
}

// verify verifies a session that is about to be ready: a server binds an address of
// its choice (RFC 6120 s7.6.1), which must belong to the identity that has
// authenticated.
func (p *progress) verify(s *xmpp.Session, state xmpp.SessionState) error {
	address, bound := s.LocalAddr(), p.bound || p.resource
	binds := slices.ContainsFunc(p.others, func(f xmpp.StreamFeature) bool { return f.Name.Space == nsBind })
	switch {
	case state&xmpp.Authn == 0:
		return p.nothingOffered(s)
	case binds && !bound, bound && (address.Localpart() == "" || address.Resourcepart() == ""):
		return fmt.Errorf("%w: the server bound no resource", sasl.ErrProtocol)
	case bound && !address.Domain().Equal(s.RemoteAddr().Domain()),
		p.outcome.SASL2 && !address.Bare().Equal(p.outcome.Address.Bare()):
		return fmt.Errorf("%w: the server bound a resource of another address than the one that has authenticated", sasl.ErrProtocol)
	}
	return nil
}

// nothingOffered is the error of a server without SASL.
func (p *progress) nothingOffered(s *xmpp.Session) error {
	offered := p.stream.markup.offered
	if slices.Contains(offered, "starttls") && s.State()&xmpp.Secure == 0 {
		return fmt.Errorf("%w: the server offers no SASL without TLS: connect with STARTTLS, which the server offers", sasl.ErrPolicy)
	}
	list := "nothing"
	if len(offered) > 0 {
		list = sasl.Printable(strings.Join(offered, ", "))
	}
	return fmt.Errorf("%w: the server offers no SASL, so the client cannot authenticate; the server offers: %s", sasl.ErrSecurity, list)
}
