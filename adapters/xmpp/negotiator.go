package saslxmpp

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"mellium.im/xmpp"
	"mellium.im/xmpp/stream"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Negotiator returns a negotiator for xmpp.NewSession and xmpp.DialSession, with
// further features, such as xmpp.StartTLS and xmpp.BindResource. The outcome of the
// login is in outcome afterwards; nil = no use for it.
//
// The Negotiator verifies more than the library. A session that would be ready
// without authentication is an ErrSecurity. With xmpp.BindResource among the
// features a resource is bound, in the domain and, with SASL2, of the address that
// the server named. With xmpp.StartTLS among them nothing else is negotiated before
// TLS. The server sends 128 KiB at most at a time, and 2 MiB until the session is
// ready. StepTimeout bounds the wait for each answer. A context that ends closes
// the connection. Every error has a class, and an error before the authentication
// is a *transport.StepError. After another error the connection is closed if it is
// out of sync.
func (l *Login) Negotiator(outcome *Outcome, features ...xmpp.StreamFeature) xmpp.Negotiator {
	if outcome == nil {
		outcome = new(Outcome)
	}
	return func(ctx context.Context, in, out *stream.Info, s *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, any, error) {
		p, ok := data.(*progress)
		if !ok {
			*outcome = Outcome{}
			octets, conn := limit(s.Conn(), transport.AnswerTimeout(l.StepTimeout))
			p = &progress{
				negotiation: negotiation{login: l, outcome: outcome, limited: octets.limited, bind2: true},
				others:      features,
				stream:      octets,
			}
			p.inner = xmpp.NewNegotiator(p.config)
			return 0, conn, p, nil
		}
		mask, rw, err := p.step(ctx, in, out, s)
		if err != nil { // only these are valid without a session
			*outcome = Outcome{Result: outcome.Result, SASL2: outcome.SASL2, Tasks: outcome.Tasks}
		}
		return mask, rw, p, err
	}
}

// progress is the state of the negotiation of one session.
type progress struct {
	negotiation
	stream   *elements
	others   []xmpp.StreamFeature
	inner    xmpp.Negotiator
	data     any  // the inner one's
	resource bool // the feature for resources was used
	greeted  bool // a stream was begun
}

// config returns the features to negotiate on a stream. STARTTLS is alone as long
// as there is no TLS: the library selects one of the required features at random.
func (p *progress) config(s *xmpp.Session, _ *xmpp.StreamConfig) xmpp.StreamConfig {
	if s != nil && s.State()&xmpp.Secure == 0 {
		for _, f := range p.others {
			if f.Name.Space == nsStartTLS {
				return xmpp.StreamConfig{Features: []xmpp.StreamFeature{p.required(f)}}
			}
		}
	}
	features := p.features(0)
	for _, f := range p.others {
		features = append(features, p.instrumented(f))
	}
	return xmpp.StreamConfig{Features: features}
}

// required makes STARTTLS required, whatever the server says: with optional features
// alone the library takes the session for ready.
func (p *progress) required(f xmpp.StreamFeature) xmpp.StreamFeature {
	parse, negotiate := f.Parse, f.Negotiate
	f.Parse = func(ctx context.Context, d *xml.Decoder, start *xml.StartElement) (bool, any, error) {
		_, data, err := parse(ctx, d, start)
		return true, data, err
	}
	f.Negotiate = func(ctx context.Context, s *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, error) {
		p.at = transport.StartTLS
		return negotiate(ctx, s, data)
	}
	return f
}

// noneKnown is the library's error for a list of features none of which it knows.
const noneKnown = "xmpp: features advertised out of order"

func (p *progress) step(ctx context.Context, in, out *stream.Info, s *xmpp.Session) (xmpp.SessionState, io.ReadWriter, error) {
	switch {
	case s.State()&xmpp.Authn != 0:
		p.at = ""
	case p.greeted:
		p.at = transport.Capabilities
	default:
		p.at, p.greeted = transport.Greeting, true
	}
	stop := context.AfterFunc(ctx, func() { transport.Close(s.Conn()) })
	p.limited.allow()
	mask, rw, err := p.negotiateStream(ctx, in, out, s)
	if err != nil && err.Error() == noneKnown {
		mask, err = xmpp.Ready, nil // as with an empty list; verify decides
	}
	switch {
	case err != nil && s.State()&xmpp.Authn != 0:
		err = p.screen.later(err, p.claim(s))
	case err == nil && mask&xmpp.Ready != 0:
		err = p.verify(s, s.State()|mask)
	}
	if err == nil {
		p.stream, rw = p.stream.restarted(rw)
	}
	if !stop() || ctx.Err() != nil {
		transport.Close(s.Conn())
		return 0, nil, p.located(s, transport.Classify(ctx, err))
	}
	switch {
	case err != nil:
		return 0, nil, p.located(s, streamError(tlsError(err)))
	case mask&xmpp.Ready != 0:
		p.limited.ready.Store(true)
	}
	return mask, rw, nil
}

// claim says which address the stream of a login with SASL claims.
func (p *progress) claim(s *xmpp.Session) string {
	from := s.LocalAddr()
	switch {
	case p.outcome.SASL2 || from.Localpart() == "":
		return ""
	case p.outcome.Username == "":
		return fmt.Sprintf("; the stream is from %q, which %s does not prove: leave the local part out", from, p.outcome.Mechanism)
	}
	return fmt.Sprintf("; the stream is from %q", from)
}

// located adds the step and the address to an error from before the authentication.
func (p *progress) located(s *xmpp.Session, err error) error {
	if p.at == "" || errors.As(err, new(*transport.StepError)) {
		return err
	}
	if p.at == transport.Greeting && p.limited.total.Load() == maxNegotiation && hungUp(err) && s.State()&xmpp.Secure == 0 {
		err = &transport.PortError{
			Found: transport.PortSilent, Advice: "if the port is for direct TLS, connect with direct TLS",
			Err: fmt.Errorf("%w: the server closed the connection without an answer", err),
		}
	}
	failed := &transport.StepError{Step: p.at, Err: err}
	if remote := s.Conn().RemoteAddr(); remote != nil {
		failed.Address = remote.String()
	}
	return failed
}

// negotiateStream is the library's step, or the last step after a resource was
// bound together with the authentication: the library does not know that.
func (p *progress) negotiateStream(ctx context.Context, in, out *stream.Info, s *xmpp.Session) (mask xmpp.SessionState, rw io.ReadWriter, err error) {
	if p.bound {
		reader := s.TokenReader()
		defer reader.Close()
		features, err := readElement(reader)
		switch {
		case err == nil && features.Name == xml.Name{Space: nsStream, Local: "error"}:
			err = fmt.Errorf("%w: the server ended the stream with an error", sasl.ErrConnection)
		case err == nil && features.Name != xml.Name{Space: nsStream, Local: "features"}:
			err = unexpected(&features)
		}
		return xmpp.Ready, nil, err
	}
	mask, rw, p.data, err = p.inner(ctx, in, out, s, p.data)
	return mask, rw, err
}
