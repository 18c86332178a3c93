package saslxmpp

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stream"

	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/wire"
)

// ServerAuth makes sessions of clients offer the mechanisms of a sasl.Server,
// with SASL as in RFC 6120 s6 and, on a connection that is secure, with SASL2.
// It is safe for concurrent use.
type ServerAuth struct {
	// Server has SuccessData set: XMPP carries data with success.
	Server *sasl.Server
	// Domains are the ones that are served, at least one. A stream to another
	// ends with host-unknown before anybody authenticates.
	Domains []jid.JID
	// TLSConfig is for STARTTLS; nil = there is none.
	TLSConfig *tls.Config
	// Leaf is the server's certificate, for tls-server-end-point.
	Leaf channelbinding.Leaf
	// Address says who a client is that has authenticated: its bare address. An
	// error refuses the client; without a Class it counts as ErrAuthorization.
	// Nil = the Authzid, if it is not empty, else the Username, at the domain
	// that the client has asked for. Who is written otherwise in an address
	// (RFC 7622 has no capital letters) is then refused, because two users could
	// be one address: Server.Canonical can write names so from the start.
	Address func(result sasl.Result, domain jid.JID) (jid.JID, error)
	// TokenLifetime is how long a token that is issued is good (XEP-0484). One
	// that is used is replaced. 0 = none is issued.
	TokenLifetime time.Duration
}

// Accept takes over a connection on which nothing has been said yet, and returns
// the session of a client that has authenticated and bound a resource, who it
// is, with the resource, and how it authenticated. If it fails, the connection
// is closed.
//
// A client sends 128 KiB at most at once, and 2 MiB until then, and has five
// attempts. A client whose stream says that it is from somebody else is refused.
//
// Errors are those of the Server; ErrConfig for no Domains; ErrPolicy for a
// stream to another domain; ErrProtocol for what is no XMPP; else ErrConnection.
func (a *ServerAuth) Accept(ctx context.Context, conn net.Conn, features ...xmpp.StreamFeature) (*xmpp.Session, jid.JID, sasl.Result, error) {
	stop := context.AfterFunc(ctx, func() { wire.Close(conn) })
	session, c, err := a.receive(ctx, conn, features)
	if !stop() || err != nil {
		wire.Close(conn)
		if errors.Is(err, stream.PolicyViolation) { // the library's, of what comes too early
			err = fmt.Errorf("%w: the client asks for what it may not have yet: %w", sasl.ErrProtocol, err)
		}
		return nil, jid.JID{}, sasl.Result{}, wire.Classify(ctx, streamError(err))
	}
	c.bounded.ready.Store(true)
	return session, c.bound, c.result, nil
}

func (a *ServerAuth) receive(ctx context.Context, conn net.Conn, features []xmpp.StreamFeature) (*xmpp.Session, *client, error) {
	if len(a.Domains) == 0 {
		return nil, nil, fmt.Errorf("%w: ServerAuth has no Domains", sasl.ErrConfig)
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
	c := &client{auth: a, conn: rw, bounded: bounded}
	all := append(c.features(), features...)
	negotiate := xmpp.NewNegotiator(func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
		return xmpp.StreamConfig{Features: all}
	})
	session, err := xmpp.ReceiveSession(ctx, rw, state, func(ctx context.Context, in, out *stream.Info, s *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, any, error) {
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
// session. What its RemoteAddr says is what the client wrote into its stream: who
// it is, is what the resource was bound to. Accept returns that, and has bounds
// and an end with its context, which the library does not have.
func (a *ServerAuth) Features(conn net.Conn) []xmpp.StreamFeature {
	return (&client{auth: a, conn: conn}).features()
}

// client is the one of a session.
type client struct {
	auth    *ServerAuth
	conn    net.Conn     // with TLS, once there is
	bounded *boundedConn // nil = the library alone reads

	refusals int
	result   sasl.Result
	address  jid.JID // bare; zero as long as it is not authenticated
	bound    jid.JID
}

func (c *client) features() []xmpp.StreamFeature {
	features := []xmpp.StreamFeature{
		c.feature("mechanisms", nsSASL, c.listSASL, c.serveSASL),
		c.feature("authentication", nsSASL2, c.listSASL2, c.serveSASL2),
		{
			Name:       xml.Name{Space: nsBindings, Local: "sasl-channel-binding"},
			Prohibited: xmpp.Authn,
			List:       c.listBindings,
		},
		xmpp.BindCustom(c.bind),
	}
	if c.auth.TLSConfig != nil {
		features = append(features, c.startTLS())
	}
	return features
}

func (c *client) feature(name, space string, list func(e xmlstream.TokenWriter, info sasl.ConnInfo) error, serve func(context.Context, *xmpp.Session, sasl.ConnInfo, link) (io.ReadWriter, error)) xmpp.StreamFeature {
	return xmpp.StreamFeature{
		Name:       xml.Name{Space: space, Local: name},
		Prohibited: xmpp.Authn,
		List: func(_ context.Context, e xmlstream.TokenWriter, _ xml.StartElement) (bool, error) {
			info, err := c.connInfo()
			if err != nil {
				return true, err
			}
			return true, list(e, info)
		},
		Negotiate: func(ctx context.Context, s *xmpp.Session, _ any) (xmpp.SessionState, io.ReadWriter, error) {
			reader := s.TokenReader()
			defer reader.Close()
			info, err := c.connInfo()
			if err != nil {
				return 0, nil, err
			}
			x := link{reader: requeued{reader}, conn: s.Conn(), bounded: c.bounded}
			domain := s.LocalAddr().Domain()
			if !slices.ContainsFunc(c.auth.Domains, domain.Equal) {
				x.write("<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
				return 0, nil, fmt.Errorf("%w: the domain %q is not served", sasl.ErrPolicy, sasl.Printable(domain.String()))
			}
			info.Host = domain.String()
			rw, err := serve(ctx, s, info, x)
			if err != nil {
				return 0, nil, err
			}
			return xmpp.Authn, rw, nil
		},
	}
}

// requeued is the reader of a stream whose first element the library has begun
// to read. It counts the levels from there, and so takes the text in an element
// for text outside of it, which it returns with an error. It is for readElement
// to see which it is.
type requeued struct{ xml.TokenReader }

func (r requeued) Token() (xml.Token, error) {
	token, err := r.TokenReader.Token()
	if text, ok := token.(xml.CharData); ok {
		return text, nil
	}
	return token, err
}

// startTLS is the library's feature, and keeps what it makes of the connection,
// because the lists of features depend on that.
func (c *client) startTLS() xmpp.StreamFeature {
	feature := xmpp.StartTLS(c.auth.TLSConfig)
	negotiate := feature.Negotiate
	feature.Negotiate = func(ctx context.Context, s *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, error) {
		state, rw, err := negotiate(ctx, s, data)
		if secured, ok := rw.(net.Conn); ok && err == nil {
			c.conn = secured
		}
		return state, rw, err
	}
	return feature
}

func (c *client) connInfo() (sasl.ConnInfo, error) {
	info, err := channelbinding.ServerConn(c.conn, c.auth.Leaf)
	info.Service, info.Downgrade = serviceName, true
	return info, err
}

// listBindings is XEP-0440.
func (c *client) listBindings(_ context.Context, e xmlstream.TokenWriter, start xml.StartElement) (bool, error) {
	info, err := c.connInfo()
	if err != nil || len(info.Bindings) == 0 {
		return false, err
	}
	list := Element{Name: start.Name}
	for _, b := range info.Bindings {
		list.Children = append(list.Children, Element{
			Name: xml.Name{Local: "channel-binding"},
			Attr: []xml.Attr{{Name: xml.Name{Local: "type"}, Value: b.Type}},
		})
	}
	return false, list.encode(e)
}
