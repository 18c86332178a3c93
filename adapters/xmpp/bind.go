package saslxmpp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"mellium.im/xmpp"
	"mellium.im/xmpp/stanza"
	"mellium.im/xmpp/stream"

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

// laterError is an error of what follows the authentication. What the server
// says there may repeat what it was sent, and is not looked through: it is for
// errors.As alone.
type laterError struct {
	class sasl.Class
	what  string
	err   error
}

func (e *laterError) Error() string { return e.class.Error() + ": " + e.what }

// Unwrap returns the class, and the library's error.
func (e *laterError) Unwrap() []error { return []error{e.class, e.err} }

// bindRefusal gives the library's error of a resource that is refused its class.
func bindRefusal(err error) error {
	const what = "the server refused to bind a resource"
	refused, ok := err.(*stanza.Error)
	switch {
	case !ok:
		return err
	case refused.Type == stanza.Wait:
		return &laterError{sasl.ErrTemporary, what + condition(string(refused.Condition)), *refused}
	}
	return &laterError{sasl.ErrAuthorization, what + condition(string(refused.Condition)), *refused}
}

// later gives an error of what follows the authentication its class, unless it
// is one already. One of reading may have the server's words in it.
func later(err error) error {
	var ended stream.Error
	classed := streamError(tlsError(err))
	class := sasl.ClassOf(classed)
	switch {
	case errors.As(err, new(*laterError)), class == sasl.ErrSecurity, sasl.ClassOf(err) != "" && class != sasl.ErrProtocol:
		return classed
	case errors.As(err, &ended):
		return &laterError{class, "the server ended the stream, or broke its rules" + condition(ended.Err), ended}
	case class == sasl.ErrProtocol:
		return &laterError{class, "what the server sent is not what is due", err}
	}
	return classed
}

// conditions are those of RFC 6120 s4.9.3 and s8.3.3.
var conditions = []string{
	"bad-format", "bad-namespace-prefix", "conflict", "connection-timeout", "host-gone", "host-unknown",
	"improper-addressing", "internal-server-error", "invalid-from", "invalid-namespace", "invalid-xml", "not-authorized",
	"not-well-formed", "policy-violation", "remote-connection-failed", "reset", "resource-constraint", "restricted-xml",
	"see-other-host", "system-shutdown", "undefined-condition", "unsupported-encoding", "unsupported-feature",
	"unsupported-stanza-type", "unsupported-version",
	"bad-request", "feature-not-implemented", "forbidden", "gone", "item-not-found", "jid-malformed", "not-acceptable",
	"not-allowed", "recipient-unavailable", "redirect", "registration-required", "remote-server-not-found",
	"remote-server-timeout", "service-unavailable", "subscription-required", "unexpected-request",
}

// condition is one of them behind a colon; of others nothing.
func condition(name string) string {
	if !slices.Contains(conditions, name) {
		return ""
	}
	return ": " + name
}
