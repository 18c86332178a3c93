package saslxmpp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"

	"golang.org/x/net/idna"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stream"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Dial connects to a server of the address's domain, and returns a session that
// is authenticated and has a resource. It finds the servers by the domain's SRV
// records (RFC 6120 s3.2, XEP-0368) and tries up to eight in their order, until
// one accepts the connection; a domain without records is its own server, at port
// 5222, or 5223 for DirectTLS. With the option Address it looks nothing up. An
// address without a local part is for ANONYMOUS. The features are further ones to
// negotiate; they may be nil.
//
// Errors are those of NewSession, and, as a *transport.StepError, ErrConfig for an
// invalid Address and ErrConnection if no server was reached. A domain whose records
// say that it has no server is a transport.ErrNoServer.
func (l *Login) Dial(ctx context.Context, address jid.JID, features ...xmpp.StreamFeature) (*xmpp.Session, Outcome, error) {
	if err := requireDomain(address); err != nil {
		return nil, Outcome{}, err
	}
	conn, err := l.connect(ctx, asciiDomain(address.Domainpart()))
	if err != nil {
		return nil, Outcome{}, err
	}
	return l.NewSession(ctx, address, conn, features...)
}

// connect connects to one of the domain's servers, or to the option Address.
func (l *Login) connect(ctx context.Context, domain string) (net.Conn, error) {
	open := func(ctx context.Context, t transport.Target) (net.Conn, error) { return l.connectTo(ctx, domain, t) }
	if l.Address != "" {
		return open(ctx, transport.Target{Direct: l.TLS == DirectTLS})
	}
	return transport.DialServers(ctx, l.dialer(), domain, l.services(), open)
}

func (l *Login) connectTo(ctx context.Context, domain string, t transport.Target) (net.Conn, error) {
	dialer := l.dialer()
	conn, err := dialer.Dial(ctx, t.Host, t.Port)
	if err != nil || !t.Direct {
		return conn, err
	}
	peer := &recorder{Conn: conn}
	secured, err := dialer.Secure(ctx, peer, domain, "xmpp-client", false) // ALPN: XEP-0368 s4
	var failed *transport.StepError
	if errors.As(err, &failed) {
		failed.Err = withoutTLS(failed.Err, peer.first)
	}
	if err != nil {
		return nil, err
	}
	return secured, nil
}

func (l *Login) dialer() transport.Dialer {
	return transport.Dialer{
		TLSConfig: l.TLSConfig, DialContext: l.DialContext, Address: l.Address, StepTimeout: l.StepTimeout,
		Resolver: l.Resolver, Found: l.Found,
	}
}

// NewSession takes over a connection on which nothing has been sent yet, and
// returns a session that is authenticated and has a resource. On a connection
// without TLS it uses STARTTLS, which the server must have, unless the option TLS
// is NoTLS. The features are further ones to negotiate; they may be nil.
//
// If NewSession fails, the connection is closed. Errors before the authentication
// are a *transport.StepError. Errors are those of the Client; ErrSecurity for a
// certificate that is not accepted, for a server without STARTTLS
// (transport.ErrNoStartTLS) and for a server without SASL; a
// *TasksError; ErrProtocol for invalid XMPP, for a missing resource, for a resource
// of another domain and, with SASL2, for a resource of another address than the
// server named; ErrAuthorization or ErrTemporary for a resource that is refused,
// with a stanza.Error for errors.As; else ErrConnection.
func (l *Login) NewSession(ctx context.Context, address jid.JID, conn net.Conn, features ...xmpp.StreamFeature) (*xmpp.Session, Outcome, error) {
	err := requireDomain(address)
	if err == nil {
		err = transport.Run(ctx, transport.TLSHandshake, transport.ConnectTimeout(l.StepTimeout), conn, func(ctx context.Context) error {
			return withoutTLS(transport.FinishHandshake(ctx, conn), nil)
		})
	}
	if err != nil {
		transport.Close(conn)
		return nil, Outcome{}, err
	}
	all := []xmpp.StreamFeature{xmpp.BindResource()}
	tap := &tap{observe: l.Observe}
	if l.Observe != nil {
		conn = transport.Observe(conn, tap.octets)
	}
	if l.TLS != NoTLS {
		all = append(all, startTLS(l.dialer(), asciiDomain(address.Domainpart()), tap))
	}
	var outcome Outcome
	negotiate := l.Negotiator(&outcome, append(all, features...)...)
	// The library sets a deadline on the connection when the context ends, and
	// may still do so after the session is ready.
	session, err := xmpp.NewSession(context.WithoutCancel(ctx), address.Domain(), address, conn, stateOf(conn),
		func(_ context.Context, in, out *stream.Info, s *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, any, error) {
			return negotiate(ctx, in, out, s, data)
		})
	if err != nil {
		transport.Close(conn)
		return nil, outcome, err
	}
	return session, outcome, nil
}

// tap is Login.Observe for the connection of one session.
type tap struct {
	observe func(sent bool, octets []byte)
	off     bool // TLS is around the octets
}

func (t *tap) octets(sent bool, octets []byte) {
	if !t.off {
		t.observe(sent, octets)
	}
}

func requireDomain(address jid.JID) error {
	if address.Domainpart() == "" {
		return fmt.Errorf("%w: the address has no domain", sasl.ErrConfig)
	}
	return nil
}

// stateOf returns xmpp.Secure for a connection that has finished a TLS handshake.
// The library itself recognizes only a *tls.Conn, and a connection may have a
// ConnectionState that says that there is no TLS.
func stateOf(conn net.Conn) xmpp.SessionState {
	secured, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	if ok && secured.ConnectionState().HandshakeComplete {
		return xmpp.Secure
	}
	return 0
}

// asciiDomain returns the form of a domain that the DNS and certificates use (RFC
// 6125 s6.4.2).
func asciiDomain(domain string) string {
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		return ascii
	}
	return domain
}
