package main

import (
	"context"
	"crypto/tls"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/channelbinding/transport"
)

func dialSMTP(ctx context.Context, t *target) (*connection, error) {
	conn, err := openTarget(t, func(config *tls.Config) (*saslsmtp.Conn, error) { return openSMTP(ctx, t, config) })
	if err != nil {
		return nil, err
	}
	info := conn.ServerInfo()
	return &connection{
		info:         &info,
		authenticate: conn.Authenticate,
		alerts:       func() []string { return nil },
		end: func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, goodbye)
			defer cancel()
			client := conn.NetClient()
			defer context.AfterFunc(ctx, func() { client.Close() })()
			client.Quit() // not necessary, but polite
			client.Close()
		},
	}, nil
}

func openSMTP(ctx context.Context, t *target, config *tls.Config) (*saslsmtp.Conn, error) {
	options := &saslsmtp.Options{TLSConfig: config, DialContext: t.dialContext, Observe: t.observe, EnforcesBinding: t.enforcesBinding, Found: t.found, AcceptHost: t.acceptHost}
	switch {
	case t.lookedUp:
		return saslsmtp.DialDomain(ctx, t.host, options)
	case config == nil:
		raw, err := transport.Dialer{DialContext: t.dialContext}.DialNetwork(ctx, "tcp", t.address)
		if err != nil {
			return nil, err
		}
		return saslsmtp.NewConn(ctx, raw, t.host, options)
	case t.scheme != "smtp":
		return saslsmtp.DialTLS(ctx, t.address, options)
	}
	return saslsmtp.DialStartTLS(ctx, t.address, options)
}
