package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

func dialLDAP(ctx context.Context, t *target) (*connection, error) {
	client, err := openTarget(t, func(config *tls.Config) (*saslldap.Client, error) { return openLDAP(ctx, t, config) })
	if err != nil {
		return nil, err
	}
	info, err := client.ServerInfo(ctx)
	if err != nil {
		return nil, err
	}
	return &connection{
		info:         &info,
		authenticate: client.SASLBind,
		identity:     func(ctx context.Context) (string, bool, error) { return whoAmI(ctx, client) },
		alerts:       func() []string { return nil },
		end: func(ctx context.Context) {
			// An unbind has no answer, and the server may not read it.
			defer context.AfterFunc(ctx, func() { client.Close() })()
			client.Unbind()
		},
	}, nil
}

// whoAmI is RFC 4532.
func whoAmI(ctx context.Context, client *saslldap.Client) (authzid string, told bool, err error) {
	stop := context.AfterFunc(ctx, func() { client.Close() })
	who, err := client.WhoAmI(nil)
	if !stop() {
		return "", false, fmt.Errorf("%w: %w", sasl.ErrConnection, ctx.Err())
	}
	var refused *ldap.Error
	switch {
	case err == nil:
		return who.AuthzID, true, nil
	case errors.As(err, &refused) && refused.ResultCode < ldap.ErrorNetwork:
		return "", false, nil
	}
	return "", false, fmt.Errorf("%w: %w", sasl.ErrConnection, err)
}

func openLDAP(ctx context.Context, t *target, config *tls.Config) (*saslldap.Client, error) {
	if t.scheme == "ldapi" {
		return saslldap.DialURL(ctx, "ldapi://"+url.PathEscape(t.address), &saslldap.Options{Mechanisms: t.mechanisms, Observe: t.observe})
	}
	options := &saslldap.Options{
		TLSConfig: config, DialContext: t.dialContext, Observe: t.observe, NoStartTLS: config == nil, Address: t.address, Found: t.found, AcceptHost: t.acceptHost,
		EnforcesBinding: t.enforcesBinding, Mechanisms: t.mechanisms,
	}
	if t.lookedUp {
		return saslldap.DialDomain(ctx, t.host, options)
	}
	return saslldap.DialURL(ctx, t.scheme+"://"+t.urlHost, options)
}
