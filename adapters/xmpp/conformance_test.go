package saslxmpp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"go.uber.org/goleak"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stream"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// authenticated makes a session ready as soon as it is authenticated, because the
// kit ends there.
func authenticated(negotiate xmpp.Negotiator) xmpp.Negotiator {
	return func(ctx context.Context, in, out *stream.Info, s *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, any, error) {
		mask, rw, data, err := negotiate(ctx, in, out, s, data)
		if mask&xmpp.Authn != 0 {
			mask |= xmpp.Ready
		}
		return mask, rw, data, err
	}
}

func dial(ctx context.Context, conn net.Conn, login *saslxmpp.Login) (sasl.Result, error) {
	var outcome saslxmpp.Outcome
	_, err := xmpp.NewSession(ctx, jid.MustParse(host), jid.MustParse(address), conn, 0, authenticated(login.Negotiator(&outcome)))
	return outcome.Result, err
}

// adapter describes a profile for the kit.
func adapter(sasl2 bool) sasltest.Adapter {
	namespace := "urn:ietf:params:xml:ns:xmpp-sasl"
	if sasl2 {
		namespace = "urn:xmpp:sasl:2"
	}
	const takesInitialResponses = "every XMPP server takes initial responses"
	return sasltest.Adapter{
		Wire:        func(conn net.Conn) sasltest.Wire { return newWire(conn, sasl2) },
		SuccessData: true,
		Conditions:  conditions,
		Malformed:   malformed(namespace),
		Dial: func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
			return dial(ctx, conn, &saslxmpp.Login{Client: client, Secure: sasl2})
		},
		Cannot: map[string]string{
			sasltest.CaseDeferred:            takesInitialResponses,
			sasltest.CaseDeferredToChallenge: takesInitialResponses,
		},
	}
}

// TestSASLConforms runs the conformance kit on the profile of RFC 6120.
func TestSASLConforms(t *testing.T) { sasltest.TestAdapter(t, adapter(false)) }

// TestSASL2Conforms runs the kit on the profile of XEP-0388.
func TestSASL2Conforms(t *testing.T) { sasltest.TestAdapter(t, adapter(true)) }

// TestFeaturesConform runs the kit on the features alone, in the library's own
// negotiator.
func TestFeaturesConform(t *testing.T) {
	a := adapter(false)
	a.Malformed = a.Malformed[:10] // for the others the library waits for an end that never comes
	a.Dial = func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
		var outcome saslxmpp.Outcome
		login := &saslxmpp.Login{Client: client}
		negotiator := xmpp.NewNegotiator(func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
			return xmpp.StreamConfig{Features: login.Features(&outcome)}
		})
		_, err := xmpp.NewSession(ctx, jid.MustParse(host), jid.MustParse(address), conn, xmpp.Secure, authenticated(negotiator))
		return outcome.Result, err
	}
	a.Cannot["over-long line"] = "the library reads elements of any size"
	a.Cannot["cancel"] = "the library ignores a context that ends while it reads; see TestFeaturesCancel"
	sasltest.TestAdapter(t, a)
}

// TestFeaturesCancel: a context that ends in the exchange closes the connection,
// although the library ignores the context.
func TestFeaturesCancel(t *testing.T) {
	conn, heard := scripted(t, turn{streamEnd, streamHeader + features(mechanisms)})
	ctx, cancel := context.WithCancel(t.Context())
	client := insecure(sasl.Plain(credentials))
	client.Trace = func(e sasl.Event) {
		if e.Kind == sasl.EventInitiated {
			cancel()
		}
	}
	login := &saslxmpp.Login{Client: client}
	_, err := xmpp.NewSession(ctx, jid.MustParse(host), jid.MustParse(address), conn, xmpp.Secure, xmpp.NewNegotiator(
		func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
			return xmpp.StreamConfig{Features: login.Features(nil)}
		}))
	if !errors.Is(err, context.Canceled) || !errors.Is(err, sasl.ErrConnection) {
		t.Error(err)
	}
	heard()
}
