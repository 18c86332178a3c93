package main

import (
	"context"
	"crypto/tls"
	"slices"
	"time"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	"github.com/saslkit/saslkit/channelbinding/transport"
)

func dialIMAP(ctx context.Context, t *target) (*connection, error) {
	conn, err := openTarget(t, func(config *tls.Config) (*saslimap.Conn, error) { return openIMAP(ctx, t, config) })
	if err != nil {
		return nil, err
	}
	info := conn.ServerInfo()
	return &connection{
		info:         &info,
		authenticate: conn.Authenticate,
		alerts:       conn.Alerts,
		end: func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, goodbye)
			defer cancel()
			client := conn.Client(nil)
			defer context.AfterFunc(ctx, func() { client.Close() })()
			client.Logout().Wait() // not necessary, but polite
			client.Close()
		},
	}, nil
}

// goodbye is how long a server may take to say it.
const goodbye = 2 * time.Second

func openIMAP(ctx context.Context, t *target, config *tls.Config) (*saslimap.Conn, error) {
	options := &saslimap.Options{
		TLSConfig: config, DialContext: t.dialContext, Observe: t.observe, EnforcesBinding: t.enforcesBinding, Found: t.found, AcceptHost: t.acceptHost,
		LoginCommand: slices.Contains(t.mechanisms, saslimap.LoginCommandName),
	}
	switch {
	case t.lookedUp:
		return saslimap.DialDomain(ctx, t.host, options)
	case config == nil:
		raw, err := transport.Dialer{DialContext: t.dialContext}.DialNetwork(ctx, "tcp", t.address)
		if err != nil {
			return nil, err
		}
		return saslimap.NewConn(ctx, raw, t.host, options)
	case t.scheme == "imaps":
		return saslimap.DialTLS(ctx, t.address, options)
	}
	return saslimap.DialStartTLS(ctx, t.address, options)
}
