package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"

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
	var entries func(context.Context) (int, error)
	if t.count != "" {
		entries = func(ctx context.Context) (int, error) { return countEntries(ctx, client, t.count) }
	}
	return &connection{
		entries:      entries,
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

// useLayer sets the flags that LDAP alone has.
func (f *authFlags) useLayer(t *target) error {
	if (f.layer != "" || f.count != "") && !strings.HasPrefix(t.scheme, "ldap") {
		return usageError("--layer and --count are for LDAP only: omit the flags")
	}
	switch t.layer = sasl.LayerStrength(f.layer); t.layer {
	case sasl.AutomaticLayer, sasl.NoLayer, sasl.IntegrityLayer, sasl.ConfidentialityLayer:
	default:
		return usageError("an invalid --layer: %q: use none, integrity or confidentiality", f.layer)
	}
	t.count = f.count
	return nil
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

// countEntries reads a subtree and returns the number of its entries.
func countEntries(ctx context.Context, client *saslldap.Client, base string) (count int, err error) {
	defer context.AfterFunc(ctx, func() { client.Close() })()
	search := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", nil, nil)
	const page = 500 // Active Directory returns at most 1000 entries at once
	found, err := client.SearchWithPaging(search, page)
	switch {
	case ctx.Err() != nil:
		return 0, fmt.Errorf("%w: %w", sasl.ErrConnection, ctx.Err())
	case err != nil:
		return 0, fmt.Errorf("%w: --count: %w", sasl.ErrConfig, err)
	}
	return len(found.Entries), nil
}

func openLDAP(ctx context.Context, t *target, config *tls.Config) (*saslldap.Client, error) {
	if t.scheme == "ldapi" {
		return saslldap.DialURL(ctx, "ldapi://"+url.PathEscape(t.address), &saslldap.Options{Mechanisms: t.mechanisms, Observe: t.observe})
	}
	options := &saslldap.Options{
		TLSConfig: config, DialContext: t.dialContext, Observe: t.observe, NoStartTLS: config == nil, Address: t.address, Found: t.found, AcceptHost: t.acceptHost,
		EnforcesBinding: t.enforcesBinding, Layer: t.layer, Mechanisms: t.mechanisms,
	}
	if t.lookedUp {
		return saslldap.DialDomain(ctx, t.host, options)
	}
	return saslldap.DialURL(ctx, t.scheme+"://"+t.urlHost, options)
}
