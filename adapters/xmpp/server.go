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

// Domain is the configuration of a server for one domain. Sessions of its clients
// offer the mechanisms of a sasl.Server, with SASL as in RFC 6120 s6 and, on a
// connection that is secure, with SASL2. It is safe for concurrent use.
type Domain struct {
	// Name is the domain, whose users are those of the Server. A stream to another
	// domain ends with host-unknown before anybody authenticates.
	Name jid.JID
	// Server has the mechanisms and the users. Its SuccessData counts as set, because
	// XMPP carries data with success. The name of a user has the form of an
	// address's local part (RFC 7622, no capital letters). Other names are refused,
	// because two of them could be one address, unless Server.Canonical brings them
	// into that form. A nil Authorize admits every user under its own name and,
	// without an AddressOf, under the authzid that is the user's bare address (RFC
	// 6120 s6.3.8).
	Server *sasl.Server
	// TLSConfig is for STARTTLS, before which nobody can authenticate then; nil = no
	// STARTTLS.
	TLSConfig *tls.Config
	// Leaf is the server's certificate, for tls-server-end-point:
	// channelbinding.LeafOf makes it of a tls.Config. The zero value = no such
	// binding.
	Leaf channelbinding.Leaf
	// AddressOf returns the bare address, in the domain, of a client that has
	// authenticated. An error refuses the client; without a Class it counts as
	// ErrAuthorization. Nil = the Authzid, if it is not empty, else the Username at
	// the domain.
	AddressOf func(sasl.Result) (jid.JID, error)
	// TokenLifetime is the validity of a token that is issued (XEP-0484), for which
	// the Server needs Tokens. A token that is used is replaced. 0 = no token is
	// issued.
	TokenLifetime time.Duration
}

// Accepted describes the login of a client.
type Accepted struct {
	sasl.Result
	Address jid.JID // the client's address, with the resource
}

// Accept takes over a connection on which nothing has been sent yet, and returns
// the session of a client that has authenticated and bound a resource. If Accept
// fails, the connection is closed. The context should have a deadline: a client
// that sends nothing holds Accept until then.
//
// Until the session is ready a client may send 128 KiB at a time and 2 MiB in all,
// and has five attempts. A message of a mechanism may have 64 KiB. A client whose
// stream has the from of somebody else is refused. The features are further ones; they
// may be nil.
//
// Errors are ErrConfig for a missing Server or an invalid Name, and for features
// that Accept has itself; ErrPolicy for a stream to another domain;
// ErrAuthentication after the last attempt, with the reasons in Server.Refused;
// ErrAuthorization for a stream from somebody else; ErrProtocol for invalid XMPP
// and for an invalid resource; else ErrConnection.
func (d *Domain) Accept(ctx context.Context, conn net.Conn, features ...xmpp.StreamFeature) (*xmpp.Session, Accepted, error) {
	stop := context.AfterFunc(ctx, func() { transport.Close(conn) })
	session, c, err := d.receive(ctx, conn, features)
	if !stop() || err != nil {
		transport.Close(conn)
		if errors.Is(err, stream.PolicyViolation) { // the library's, for a request that comes too early
			err = fmt.Errorf("%w: the client requested a feature too early: %w", sasl.ErrProtocol, err)
		}
		return nil, Accepted{}, transport.Classify(ctx, streamError(err))
	}
	c.limited.ready.Store(true)
	return session, *c.accepted, nil
}

func (d *Domain) receive(ctx context.Context, conn net.Conn, features []xmpp.StreamFeature) (*xmpp.Session, *client, error) {
	ours := []string{nsSASL, nsSASL2, nsBindings, nsBind, nsStartTLS}
	if slices.ContainsFunc(features, func(f xmpp.StreamFeature) bool { return slices.Contains(ours, f.Name.Space) }) {
		return nil, nil, fmt.Errorf("%w: Accept has SASL, STARTTLS and the binding of a resource itself: leave them out of the features", sasl.ErrConfig)
	}
	if d.Server == nil || d.Name.Domainpart() == "" || !d.Name.Equal(d.Name.Domain()) {
		return nil, nil, fmt.Errorf("%w: the Domain has no Server, or its Name is not a domain", sasl.ErrConfig)
	}
	if err := transport.FinishHandshake(ctx, conn); err != nil {
		return nil, nil, err
	}
	octets, rw := limit(conn, 0)
	c := d.client(rw, new(Accepted))
	c.limited = octets.limited
	all := append(c.features(), features...)
	negotiate := xmpp.NewNegotiator(func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
		return xmpp.StreamConfig{Features: all}
	})
	session, err := xmpp.ReceiveSession(context.WithoutCancel(ctx), rw, stateOf(conn), func(_ context.Context, in, out *stream.Info, s *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, any, error) {
		c.limited.allow()
		mask, rw, data, err := negotiate(ctx, in, out, s, data)
		if err == nil {
			octets, rw = octets.restarted(rw)
		}
		return mask, rw, data, err
	})
	if err == nil {
		err = c.verify(session)
	}
	return session, c, err
}

// Features returns the stream features for xmpp.ReceiveClientSession on the
// connection, with STARTTLS and the binding of a resource. They are for one
// session. Once the session is ready, accepted has the address of the client; nil =
// no use for it. The RemoteAddr of the session is the from of the client's stream.
// Accept compares the two, limits the client's data, and ends with its context; the
// library does not. A connection whose TLS does not come from the library is for
// xmpp.ReceiveSession with xmpp.Secure.
func (d *Domain) Features(conn net.Conn, accepted *Accepted) []xmpp.StreamFeature {
	return d.client(conn, accepted).features()
}
