package saslxmpp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stream"

	"github.com/saslkit/saslkit/channelbinding"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// ServerAuth makes sessions of clients offer the mechanisms of a sasl.Server,
// with SASL as in RFC 6120 s6 and, on a connection that is secure, with SASL2.
// It is safe for concurrent use.
type ServerAuth struct {
	// Server has the mechanisms and the users. Its SuccessData counts as set, as
	// XMPP carries data with success. Users have names as the local part of an
	// address has them (RFC 7622, no capital letters); others are refused, because
	// two of them could be one address, unless Server.Canonical writes them so. A
	// nil Authorize lets everybody in as themselves and, without an Address, under
	// the authzid that is their bare address (RFC 6120 s6.3.8).
	Server *sasl.Server
	// Domain is the one that is served, whose users those are. A stream to
	// another ends with host-unknown before anybody authenticates.
	Domain jid.JID
	// TLSConfig is for STARTTLS, without which nobody authenticates then; nil =
	// there is none.
	TLSConfig *tls.Config
	// Leaf is the server's certificate, for tls-server-end-point:
	// channelbinding.LeafOf makes it of a tls.Config.
	Leaf channelbinding.Leaf
	// Address says who a client is that has authenticated: its bare address, of
	// the Domain. An error refuses the client; without a Class it counts as
	// ErrAuthorization. Nil = the Authzid, if it is not empty, else the Username
	// at the Domain.
	Address func(sasl.Result) (jid.JID, error)
	// TokenLifetime is how long a token that is issued is good (XEP-0484), for
	// which the Server has Tokens. One that is used is replaced. 0 = none is issued.
	TokenLifetime time.Duration
}

// Accepted is what came of a client's login.
type Accepted struct {
	sasl.Result
	Address jid.JID // who the client is, with the resource
}

// Accept takes over a connection on which nothing has been said yet, and returns
// the session of a client that has authenticated and bound a resource. If it
// fails, the connection is closed. The context should end some time: a client
// that says nothing holds it until then.
//
// A client sends 128 KiB at most at once, and 2 MiB until then, and has five
// attempts. A client whose stream says that it is from somebody else is refused.
// The features are what is wanted besides these.
//
// Errors are ErrConfig for no Server or no Domain, and for features that Accept
// has itself; ErrPolicy for a stream to another domain; ErrAuthentication after
// the last attempt, whatever the reasons were, which Server.Refused is told;
// ErrAuthorization for a stream that turns out to be somebody else's; ErrProtocol
// for invalid XMPP, and for an invalid resource; else ErrConnection.
func (a *ServerAuth) Accept(ctx context.Context, conn net.Conn, features ...xmpp.StreamFeature) (*xmpp.Session, Accepted, error) {
	stop := context.AfterFunc(ctx, func() { transport.Close(conn) })
	session, c, err := a.receive(ctx, conn, features)
	if !stop() || err != nil {
		transport.Close(conn)
		if errors.Is(err, stream.PolicyViolation) { // the library's, of what comes too early
			err = fmt.Errorf("%w: the client asks for what it may not have yet: %w", sasl.ErrProtocol, err)
		}
		return nil, Accepted{}, transport.Classify(ctx, streamError(err))
	}
	c.bounded.ready.Store(true)
	return session, *c.accepted, nil
}

func (a *ServerAuth) receive(ctx context.Context, conn net.Conn, features []xmpp.StreamFeature) (*xmpp.Session, *client, error) {
	ours := []string{nsSASL, nsSASL2, nsBindings, nsBind, nsStartTLS}
	if slices.ContainsFunc(features, func(f xmpp.StreamFeature) bool { return slices.Contains(ours, f.Name.Space) }) {
		return nil, nil, fmt.Errorf("%w: SASL, STARTTLS and the binding of a resource are not for the caller's features", sasl.ErrConfig)
	}
	if a.Server == nil || a.Domain.Domainpart() == "" || !a.Domain.Equal(a.Domain.Domain()) {
		return nil, nil, fmt.Errorf("%w: ServerAuth has no Server, or no Domain that is one", sasl.ErrConfig)
	}
	secured, err := overTLS(ctx, conn)
	if err != nil {
		return nil, nil, err
	}
	var state xmpp.SessionState
	if secured {
		state = xmpp.Secure
	}
	bounded, rw := bound(conn)
	c := a.client(rw, new(Accepted))
	c.bounded = bounded
	all := append(c.features(), features...)
	negotiate := xmpp.NewNegotiator(func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
		return xmpp.StreamConfig{Features: all}
	})
	session, err := xmpp.ReceiveSession(context.WithoutCancel(ctx), rw, state, func(_ context.Context, in, out *stream.Info, s *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, any, error) {
		bounded.allow()
		return negotiate(ctx, in, out, s, data)
	})
	if err == nil {
		err = c.check(session)
	}
	return session, c, err
}

// Features are the stream features to hand to xmpp.ReceiveClientSession for the
// connection, with STARTTLS and the binding of a resource. They are for one
// session. Who the client is, is in accepted once the session is ready: its
// RemoteAddr is what it wrote into its stream. Accept compares the two, has
// bounds, and ends with its context, which the library does not. Nil = nobody
// wants to know. A connection on which TLS is not the library's is for
// xmpp.ReceiveSession with xmpp.Secure.
func (a *ServerAuth) Features(conn net.Conn, accepted *Accepted) []xmpp.StreamFeature {
	return a.client(conn, accepted).features()
}
