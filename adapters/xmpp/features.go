package saslxmpp

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"mellium.im/xmpp"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// offer is a server's list for SASL2.
type offer struct {
	mechanisms []string
	inline     []Element
}

// Features returns the stream features for xmpp.NewClientSession, DialClientSession
// or NewNegotiator in place of xmpp.SASL. They are for one session at a time. The
// outcome of the login is in outcome afterwards; nil = no use for it.
//
// The features authenticate only if the library takes the connection for secure:
// after xmpp.StartTLS, on a *tls.Conn, or with xmpp.Secure. StepTimeout bounds the
// answers of the authentication alone.
//
// Without Negotiator the library calls no feature for a server that offers none,
// and returns a session that is not authenticated; only its State shows that. The
// library also reads elements of any size, and refuses a server that sends white
// space between its features.
func (l *Login) Features(outcome *Outcome) []xmpp.StreamFeature {
	if outcome == nil {
		outcome = new(Outcome)
	}
	return (&negotiation{login: l, outcome: outcome}).features(xmpp.Secure)
}

// features returns the features of both profiles. The library selects one of them
// at random, so each of the two runs the profile that is to be used.
func (n *negotiation) features(necessary xmpp.SessionState) []xmpp.StreamFeature {
	return []xmpp.StreamFeature{
		{
			Name:       xml.Name{Space: nsSASL, Local: "mechanisms"},
			Necessary:  necessary,
			Prohibited: xmpp.Authn,
			Parse: func(_ context.Context, d *xml.Decoder, start *xml.StartElement) (bool, any, error) {
				list, err := readRest(d, *start)
				return true, mechanismNames(&list, nsSASL), err
			},
			Negotiate: n.negotiate,
		},
		{
			Name:       xml.Name{Space: nsSASL2, Local: "authentication"},
			Necessary:  necessary,
			Prohibited: xmpp.Authn,
			Parse: func(_ context.Context, d *xml.Decoder, start *xml.StartElement) (bool, any, error) {
				list, err := readRest(d, *start)
				offered := &offer{mechanisms: mechanismNames(&list, nsSASL2)}
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
		limitsFeature(),
	}
}

// mechanismNames returns the names in a list of mechanisms in upper case, the only
// case that they have (RFC 4422 s3.1).
func mechanismNames(list *Element, space string) []string {
	names := list.texts(space, "mechanism")
	for i := range names {
		names[i] = strings.ToUpper(names[i])
	}
	return names
}

// negotiation is the login of one session.
type negotiation struct {
	login   *Login
	outcome *Outcome
	screen  screen
	limited *limitedConn   // nil = the library alone reads
	bind2   bool           // Login.BindTag applies
	bound   bool           // a resource was bound together with the authentication
	at      transport.Step // the step before the authentication; "" = later
}

// negotiate is the Negotiate function of both profiles. It uses SASL2 if the server
// has it, but not without TLS (XEP-0388 s2.1).
func (n *negotiation) negotiate(ctx context.Context, s *xmpp.Session, _ any) (xmpp.SessionState, io.ReadWriter, error) {
	*n.outcome, n.at, n.screen = Outcome{}, "", screen{}
	if n.login.Client == nil {
		return 0, nil, fmt.Errorf("%w: the Login has no Client: set Login.Client", sasl.ErrConfig)
	}
	reader, writer := s.TokenReader(), s.TokenWriter()
	defer reader.Close()
	defer writer.Close() // only its lock is needed
	info, err := n.login.serverInfo(s)
	if err != nil {
		return 0, nil, err
	}
	x := link{screen: &n.screen, reader: reader, conn: s.Conn(), limited: n.limited, timeout: transport.AnswerTimeout(n.login.StepTimeout)}
	if data, _ := s.Feature(nsSASL2); data != nil {
		offered, _ := data.(*offer)
		switch {
		case len(offered.mechanisms) == 0 && len(offered.tokenMechanisms()) == 0: // an empty list does not hide the other one
		case info.Secure || info.TLSVersion != 0:
			conn := &sasl2{link: x, login: n.login, offered: offered, bind2: n.bind2, domain: s.RemoteAddr().Domain()}
			around, _ := conn.first(longestName, []byte{}) // Initiate returns its error
			info.Mechanisms, info.MaxMessage = offered.mechanisms, maxMessage(s, around)
			n.login.reportOffer(info)
			return n.sasl2(ctx, s, conn, info)
		case len(info.Mechanisms) == 0:
			return 0, nil, fmt.Errorf("%w: the server offers only SASL2, which needs TLS: connect with TLS", sasl.ErrPolicy)
		}
	}
	conn := &sasl1{x}
	info.MaxMessage = maxMessage(s, conn.first(longestName, nil))
	n.login.reportOffer(info)
	if n.outcome.Result, err = n.login.Client.Authenticate(ctx, conn, info); err != nil {
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
		return 0, nil, fmt.Errorf("%w: tokens need a UserAgent whose ID is a UUID (XEP-0484 s4.1): set Login.UserAgent.ID", sasl.ErrConfig)
	}
	result, err := n.login.Client.Authenticate(ctx, conn, info)
	n.outcome.Result, n.outcome.SASL2, n.outcome.Tasks = result, true, conn.tasks
	if err != nil {
		return 0, nil, err
	}
	n.outcome.Address, n.outcome.Extensions = conn.address, conn.extensions
	n.bound = conn.isBound()
	if asked := s.LocalAddr(); !asked.Bare().Equal(conn.address) { // an equal address may have the resource to bind
		s.UpdateAddr(conn.address)
	}
	return xmpp.Authn, nil, nil // no stream restart
}
