package main

import (
	"context"
	"crypto/tls"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// xmppPort has the ports for --connect. Other connections go to the ports of the SRV
// records.
var xmppPort = map[string]string{"xmpp": "5222", "xmpps": "5223"}

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
			login := &saslxmpp.Login{Client: auth, Offered: t.told, Found: t.found, EnforcesBinding: t.enforcesBinding, UserAgent: saslxmpp.UserAgent{ID: t.agentID, Software: "saslkit"}}
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
				session.Close() // not necessary, but polite; no wait
				session.Conn().Close()
			}
		},
	}, nil
}

// openXMPP dials with the kind of TLS that the scheme names, or without TLS for a
// nil config.
func openXMPP(ctx context.Context, t *target, config *tls.Config, address jid.JID, login *saslxmpp.Login, outcome *saslxmpp.Outcome) (*xmpp.Session, error) {
	with := *login
	with.TLSConfig, with.DialContext, with.Observe, with.Address, with.TLS = config, t.dialContext, t.observe, t.address, saslxmpp.StartTLS
	switch {
	case t.lookedUp:
		with.TLS = saslxmpp.AnyTLS
	case config == nil:
		with.TLS = saslxmpp.NoTLS
	case t.scheme == "xmpps":
		with.TLS = saslxmpp.DirectTLS
	}
	session, result, err := with.Dial(ctx, address)
	*outcome = result
	return session, err
}
