package saslxmpp

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"

	"golang.org/x/net/idna"
	"mellium.im/xmpp"
	"mellium.im/xmpp/dial"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stream"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Dial connects to the server of the address's domain, which it finds by its
// SRV records (RFC 6120 s3.2, XEP-0368), and returns a session that is
// authenticated and has a resource. The features are what is wanted besides.
// An address of a domain alone is for ANONYMOUS.
//
// Errors are those of NewSession, and ErrConnection where no server was found
// or reached.
func (l *Login) Dial(ctx context.Context, address jid.JID, features ...xmpp.StreamFeature) (*xmpp.Session, Outcome, error) {
	dialer := dial.Dialer{TLSConfig: l.tlsConfig(address, true)}
	if l.Dialer != nil {
		dialer.Dialer = *l.Dialer
	}
	conn, err := dialer.DialServer(ctx, "tcp", address, asciiDomain(address.Domainpart()))
	if err != nil {
		if err = transport.HandshakeError(err); ctx.Err() != nil {
			err = transport.Classify(ctx, err)
		}
		return nil, Outcome{}, err
	}
	return l.NewSession(ctx, address, conn, features...)
}

// NewSession takes over a connection on which nothing has been said yet, and
// returns a session that is authenticated and has a resource. On one without
// TLS it uses STARTTLS, which the server must have. The features are what is
// wanted besides.
//
// If it fails, the connection is closed. Errors are those of the Client;
// ErrSecurity for a certificate that is not accepted, for a server without
// STARTTLS and for one that wants no authentication; a *TasksError; ErrProtocol
// for invalid XMPP, for no resource and for one of another domain or, with
// SASL2, of another than the server named; ErrAuthorization or
// ErrTemporary for one that is refused, with a stanza.Error for errors.As; else
// ErrConnection.
func (l *Login) NewSession(ctx context.Context, address jid.JID, conn net.Conn, features ...xmpp.StreamFeature) (*xmpp.Session, Outcome, error) {
	if address.Domainpart() == "" {
		conn.Close()
		return nil, Outcome{}, fmt.Errorf("%w: the address has no domain", sasl.ErrConfig)
	}
	all := append([]xmpp.StreamFeature{startTLS(l.tlsConfig(address, false)), xmpp.BindResource()}, features...)
	secured, err := overTLS(ctx, conn)
	if err != nil {
		transport.Close(conn)
		return nil, Outcome{}, err
	}
	var outcome Outcome
	var state xmpp.SessionState
	if secured {
		state = xmpp.Secure // the library knows the *tls.Conn only
	}
	negotiate := l.Negotiator(&outcome, all...)
	// The library sets a deadline on the connection when the context ends, and
	// may still do so after the session is up.
	session, err := xmpp.NewSession(context.WithoutCancel(ctx), address.Domain(), address, conn, state,
		func(_ context.Context, in, out *stream.Info, s *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, any, error) {
			return negotiate(ctx, in, out, s, data)
		})
	if err != nil {
		transport.Close(conn)
		return nil, outcome, err
	}
	return session, outcome, nil
}

// tlsConfig is the configuration for the server of an address. Direct TLS says
// what is spoken over it (XEP-0368 s4).
func (l *Login) tlsConfig(address jid.JID, direct bool) *tls.Config {
	config := new(tls.Config)
	if l.TLSConfig != nil {
		config = l.TLSConfig.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = asciiDomain(address.Domainpart())
	}
	if direct && config.NextProtos == nil {
		config.NextProtos = []string{"xmpp-client"}
	}
	return config
}

// asciiDomain is a domain in the form that the DNS and certificates have it (RFC
// 6125 s6.4.2).
func asciiDomain(domain string) string {
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		return ascii
	}
	return domain
}
