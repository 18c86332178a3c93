package saslxmpp

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"

	"mellium.im/xmpp"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// offer is what a server lists for SASL2.
type offer struct {
	mechanisms []string
	inline     []Element
}

// Features are the stream features to hand to xmpp.NewClientSession,
// DialClientSession or NewNegotiator in place of xmpp.SASL. What comes out of
// the login is in outcome afterwards; nil = nobody wants to know. They are for
// one session at a time.
//
// They authenticate only where the library takes the connection for secure:
// after xmpp.StartTLS, on a *tls.Conn, or where it was told so.
//
// Without Negotiator the library calls no feature at all for a server that
// offers none, and gives out a session that is not authenticated, which only
// its State tells; and it reads elements of any size.
func (l *Login) Features(outcome *Outcome) []xmpp.StreamFeature {
	if outcome == nil {
		outcome = new(Outcome)
	}
	return (&negotiation{login: l, outcome: outcome}).features(xmpp.Secure)
}

// features has both profiles, which the library chooses from at random: each
// takes the one that is to be used.
func (n *negotiation) features(necessary xmpp.SessionState) []xmpp.StreamFeature {
	return []xmpp.StreamFeature{
		{
			Name:       xml.Name{Space: nsSASL, Local: "mechanisms"},
			Necessary:  necessary,
			Prohibited: xmpp.Authn,
			Parse: func(_ context.Context, d *xml.Decoder, start *xml.StartElement) (bool, any, error) {
				list, err := readRest(d, *start)
				return true, list.texts(nsSASL, "mechanism"), err
			},
			Negotiate: n.negotiate,
		},
		{
			Name:       xml.Name{Space: nsSASL2, Local: "authentication"},
			Necessary:  necessary,
			Prohibited: xmpp.Authn,
			Parse: func(_ context.Context, d *xml.Decoder, start *xml.StartElement) (bool, any, error) {
				list, err := readRest(d, *start)
				offered := &offer{mechanisms: list.texts(nsSASL2, "mechanism")}
				if inline, ok := list.child(nsSASL2, "inline"); ok {
					offered.inline = inline.Children
				}
				return true, offered, err
			},
			Negotiate: n.negotiate,
		},
		{
			Name:       xml.Name{Space: nsBindings, Local: "sasl-channel-binding"},
			Prohibited: xmpp.Authn,
			Parse: func(_ context.Context, d *xml.Decoder, start *xml.StartElement) (bool, any, error) {
				list, err := readRest(d, *start)
				types := []string{}
				for i := range list.Children {
					if list.Children[i].Name == (xml.Name{Space: nsBindings, Local: "channel-binding"}) {
						types = append(types, list.Children[i].attr("type"))
					}
				}
				return false, types, err
			},
		},
	}
}

// negotiation is the login of one session.
type negotiation struct {
	login   *Login
	outcome *Outcome
	limited *limitedConn   // nil = the library alone reads
	bind2   bool           // the session can be made ready by it
	bound   bool           // it was
	at      transport.Step // before the authentication; "" = in it or after it
}

// negotiate is the Negotiate function of both profiles. SASL2 is used if the
// server has it, and not without TLS (XEP-0388 s2.1).
func (n *negotiation) negotiate(ctx context.Context, s *xmpp.Session, _ any) (xmpp.SessionState, io.ReadWriter, error) {
	*n.outcome, n.at = Outcome{}, ""
	if n.login.Client == nil {
		return 0, nil, fmt.Errorf("%w: the Login has no Client", sasl.ErrConfig)
	}
	reader, writer := s.TokenReader(), s.TokenWriter()
	defer reader.Close()
	defer writer.Close() // it is locked, and not written with
	info, err := n.login.serverInfo(s)
	if err != nil {
		return 0, nil, err
	}
	x := link{reader: reader, conn: s.Conn(), limited: n.limited, timeout: transport.AnswerTimeout(n.login.StepTimeout)}
	if data, _ := s.Feature(nsSASL2); data != nil {
		offered, _ := data.(*offer)
		switch {
		case info.Secure || info.TLSVersion != 0:
			info.Mechanisms = offered.mechanisms
			n.login.reportOffer(info)
			return n.sasl2(ctx, s, &sasl2{link: x, login: n.login, offered: offered, bind2: n.bind2, domain: s.RemoteAddr().Domain()}, info)
		case len(info.Mechanisms) == 0:
			return 0, nil, fmt.Errorf("%w: the server offers SASL2 only, which needs TLS", sasl.ErrPolicy)
		}
	}
	n.login.reportOffer(info)
	if n.outcome.Result, err = n.login.Client.Authenticate(ctx, &sasl1{x}, info); err != nil {
		return 0, nil, err
	}
	return xmpp.Authn, s.Conn(), nil
}

func (l *Login) reportOffer(info sasl.ServerInfo) {
	if l.Offered != nil {
		l.Offered(info)
	}
}

func (n *negotiation) sasl2(ctx context.Context, s *xmpp.Session, conn *sasl2, info sasl.ServerInfo) (xmpp.SessionState, io.ReadWriter, error) {
	if n.login.Client.Tokens != nil && !uuid.MatchString(n.login.UserAgent.ID) {
		return 0, nil, fmt.Errorf("%w: tokens need a UserAgent whose ID is a UUID (XEP-0484 s4.1)", sasl.ErrConfig)
	}
	result, err := n.login.Client.Authenticate(ctx, conn, info)
	n.outcome.Result, n.outcome.SASL2, n.outcome.Tasks = result, true, conn.tasks
	if err != nil {
		return 0, nil, err
	}
	n.outcome.Address, n.outcome.Extensions = conn.address, conn.extensions
	n.bound = conn.isBound()
	if asked := s.LocalAddr(); !asked.Bare().Equal(conn.address) { // else it may have the resource to bind
		s.UpdateAddr(conn.address)
	}
	return xmpp.Authn, nil, nil // no stream restart
}
