package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"mellium.im/xmpp"
	"mellium.im/xmpp/dial"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// dialXMPP leaves the connection to the authentication, because that is a part
// of how a session begins.
func dialXMPP(_ context.Context, t *target) (*connection, error) {
	address, err := jid.New(t.user, t.host, "")
	if err != nil {
		return nil, usageError("%q at %q is no address of XMPP: %w", t.user, t.host, err)
	}
	var session *xmpp.Session
	return &connection{
		authenticate: func(ctx context.Context, auth *sasl.Client) (sasl.Result, error) {
			login := &saslxmpp.Login{Client: auth, Offered: t.told, EnforcesBinding: t.enforcesBinding, UserAgent: saslxmpp.UserAgent{ID: t.agentID, Software: "saslkit"}}
			var outcome saslxmpp.Outcome
			var err error
			session, err = openTarget(t, func(config *tls.Config) (*xmpp.Session, error) {
				return openXMPP(ctx, t, config, address, login, &outcome)
			})
			return outcome.Result, err
		},
		identity: func(context.Context) (string, bool, error) { return session.LocalAddr().String(), true, nil },
		alerts:   func() []string { return nil },
		end: func(context.Context) {
			if session != nil {
				session.Close() // only good manners, and not waited for
				session.Conn().Close()
			}
		},
	}, nil
}

func openXMPP(ctx context.Context, t *target, config *tls.Config, address jid.JID, login *saslxmpp.Login, outcome *saslxmpp.Outcome) (*xmpp.Session, error) {
	conn, err := connectXMPP(ctx, t, config, address)
	if err != nil {
		return nil, err
	}
	var session *xmpp.Session
	if config == nil {
		session, err = xmpp.NewSession(ctx, address.Domain(), address, conn, 0, login.Negotiator(outcome, xmpp.BindResource()))
		if err != nil {
			conn.Close()
		}
	} else {
		with := *login
		with.TLSConfig = config
		session, *outcome, err = with.NewSession(ctx, address, conn)
	}
	switch {
	case errors.Is(err, saslxmpp.ErrNoTLS):
		return nil, errNoTLS
	case err != nil:
		return nil, err // not the session that there is then
	}
	return session, nil
}

// connectXMPP connects to the address that is given, or finds the server by its
// SRV records.
func connectXMPP(ctx context.Context, t *target, config *tls.Config, address jid.JID) (net.Conn, error) {
	direct := t.scheme == "xmpps" && config != nil
	if direct {
		config = config.Clone()
		config.NextProtos = []string{"xmpp-client"}
	}
	if t.address == "" {
		conn, err := (&dial.Dialer{NoTLS: !direct, TLSConfig: config}).DialServer(ctx, "tcp", address, t.host)
		if _, secured := conn.(*tls.Conn); err == nil && direct && !secured {
			conn.Close()
			return nil, fmt.Errorf("%w: no server of the domain does TLS from the first octet, with a certificate that is accepted", sasl.ErrConnection)
		}
		return conn, transport.HandshakeError(err)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", t.address)
	if err != nil || !direct {
		return conn, transport.HandshakeError(err)
	}
	secured, err := transport.Handshake(ctx, conn, t.host, "", config)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}
