package saslxmpp

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"fmt"
	"io"
	"net"

	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// client is the client of one session.
type client struct {
	domain  *Domain
	server  sasl.Server
	conn    net.Conn     // the TLS connection, as soon as there is one
	limited *limitedConn // nil = the library alone reads

	mechanism string // this and the next one are of the last attempt
	info      sasl.ConnInfo

	refusals int
	address  jid.JID // bare; zero = the client has not authenticated
	accepted *Accepted
}

func (d *Domain) client(conn net.Conn, accepted *Accepted) *client {
	c := &client{domain: d, conn: conn, accepted: accepted}
	if d.Server != nil {
		c.server = *d.Server
	}
	c.server.SuccessData = true
	if accepted == nil {
		c.accepted = new(Accepted)
	}
	*c.accepted = Accepted{}
	if c.server.Authorize == nil && d.AddressOf == nil {
		c.server.Authorize = asThemselves
	}
	return c
}

func (c *client) features() []xmpp.StreamFeature {
	features := []xmpp.StreamFeature{
		c.feature("mechanisms", nsSASL, c.listSASL, c.serveSASL),
		c.feature("authentication", nsSASL2, c.listSASL2, c.serveSASL2),
		{
			Name:       xml.Name{Space: nsBindings, Local: "sasl-channel-binding"},
			Necessary:  c.necessary(),
			Prohibited: xmpp.Authn,
			List:       c.listBindings,
		},
		{
			Name:       xml.Name{Space: nsBind, Local: "bind"},
			Necessary:  xmpp.Authn,
			Prohibited: xmpp.Ready,
			List: func(_ context.Context, e xmlstream.TokenWriter, start xml.StartElement) (bool, error) {
				return true, (&Element{Name: start.Name}).encode(e)
			},
			Negotiate: c.bind,
		},
	}
	if c.domain.TLSConfig != nil {
		features = append(features, c.startTLS())
	}
	return features
}

// necessary returns Secure if there is STARTTLS, so a list before TLS says that
// STARTTLS is required.
func (c *client) necessary() xmpp.SessionState {
	if c.domain.TLSConfig != nil {
		return xmpp.Secure
	}
	return 0
}

func (c *client) feature(name, space string, list func(e xmlstream.TokenWriter, info sasl.ConnInfo) error, serve func(context.Context, *xmpp.Session, sasl.ConnInfo, link) (io.ReadWriter, error)) xmpp.StreamFeature {
	return xmpp.StreamFeature{
		Name:       xml.Name{Space: space, Local: name},
		Necessary:  c.necessary(),
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
			x := link{reader: requeued{reader}, conn: s.Conn(), limited: c.limited}
			to := s.LocalAddr()
			if !to.Equal(c.domain.Name) {
				x.end("host-unknown")
				return 0, nil, fmt.Errorf("%w: the client addresses the domain %q, which is not served", sasl.ErrPolicy, sasl.Printable(to.String()))
			}
			info.Host = to.String()
			c.info = info
			rw, err := serve(ctx, s, info, x)
			if err != nil {
				return 0, nil, err
			}
			return xmpp.Authn, rw, nil
		},
	}
}

// requeued is the reader of a stream whose first element the library has begun to
// read. The library counts the levels from there, takes text in an element for text
// outside of it, and returns that text with an error. readElement decides which of
// the two it is.
type requeued struct{ xml.TokenReader }

func (r requeued) Token() (xml.Token, error) {
	token, err := r.TokenReader.Token()
	if text, ok := token.(xml.CharData); ok {
		return text, nil
	}
	return token, err
}

// startTLS is the library's feature. It keeps the TLS connection, because the lists
// of features depend on the connection.
func (c *client) startTLS() xmpp.StreamFeature {
	feature := xmpp.StartTLS(c.domain.TLSConfig)
	feature.Prohibited |= xmpp.Authn // an authentication before TLS proves nothing about the client afterwards
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
	conn := c.conn
	if state, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok && !state.ConnectionState().HandshakeComplete {
		conn = struct{ net.Conn }{conn} // it has a state, but no TLS
	}
	info, err := channelbinding.ServerConn(conn, c.domain.Leaf)
	info.Service, info.Downgrade = serviceName, true
	return info, err
}

// listBindings lists the types of channel bindings (XEP-0440).
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
