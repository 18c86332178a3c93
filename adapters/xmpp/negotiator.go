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

// Negotiator is for xmpp.NewSession and xmpp.DialSession, with the features
// that are wanted besides the login, such as xmpp.StartTLS and
// xmpp.BindResource. What comes out of the login is in outcome afterwards; nil =
// nobody wants to know.
//
// It holds the session to what the library does not: one that would be ready
// without having been authenticated is ErrSecurity; where xmpp.BindResource is
// among the features a resource is bound, of the domain and, with SASL2, of whom
// the server named; where xmpp.StartTLS is among them nothing but TLS is
// negotiated before TLS; a server sends 128 KiB at most at once, and 2 MiB until
// the session is ready; a context that ends closes the connection; and every
// error has a class. After another error the connection is closed where it is
// not in sync.
func (l *Login) Negotiator(outcome *Outcome, features ...xmpp.StreamFeature) xmpp.Negotiator {
	if outcome == nil {
		outcome = new(Outcome)
	}
	return func(ctx context.Context, in, out *stream.Info, s *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, any, error) {
		p, ok := data.(*progress)
		if !ok {
			*outcome = Outcome{}
			limited, conn := limit(s.Conn(), transport.AnswerTimeout(l.StepTimeout))
			p = &progress{
				negotiation: negotiation{login: l, outcome: outcome, limited: limited, bind2: true},
				others:      features,
			}
			p.inner = xmpp.NewNegotiator(p.config)
			return 0, conn, p, nil
		}
		mask, rw, err := p.step(ctx, in, out, s)
		if err != nil { // whoever was authenticated has no session
			*outcome = Outcome{Result: outcome.Result, SASL2: outcome.SASL2, Tasks: outcome.Tasks}
		}
		return mask, rw, p, err
	}
}

// progress is the state of the negotiation of one session.
type progress struct {
	negotiation
	others   []xmpp.StreamFeature
	inner    xmpp.Negotiator
	data     any  // the inner one's
	resource bool // the feature for resources was used
	greeted  bool // a stream was begun
}

// config is what there is to negotiate on a stream. As long as there is no TLS
// but could be, that comes first: the library chooses among what a server
// requires at random.
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
		features = append(features, p.watched(f))
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
	if err != nil && s.State()&xmpp.Authn != 0 {
		err = later(err)
	}
	if err == nil && mask&xmpp.Ready != 0 {
		err = p.check(s, s.State()|mask)
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

// located adds the step and the address to an error from before the authentication.
func (p *progress) located(s *xmpp.Session, err error) error {
	if p.at == "" || errors.As(err, new(*transport.StepError)) {
		return err
	}
	failed := &transport.StepError{Step: p.at, Err: err}
	if remote := s.Conn().RemoteAddr(); remote != nil {
		failed.Address = remote.String()
	}
	return failed
}

// negotiateStream is the library's step, or the last one after a resource was
// bound together with the authentication, which the library does not know.
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
