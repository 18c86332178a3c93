package krb5

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
)

// parseService reads the service principal. Without a stated realm, the realm is the
// realm of domain_realm; "" = let the KDCs find the realm, beginning with the user's.
func (l *login) parseService() error {
	name, realm, _ := strings.Cut(l.request.Service, "@")
	l.service = principal{strings.Split(name, "/"), realm}
	if slices.Contains(l.service.name, "") || len(l.request.Service) > maxPrincipal || strings.ContainsAny(l.request.Service, "\x00\\") {
		return fmt.Errorf("%w: the service principal %q has not the form service/host: correct Options.ServicePrincipal", sasl.ErrConfig, sasl.Printable(l.request.Service))
	}
	if realm != "" || l.config == nil {
		return nil
	}
	l.service.realm = l.config.realmOf(l.service.name[len(l.service.name)-1])
	return nil
}

// withCache uses the cache's ticket for the service, or asks for one with its
// ticket-granting ticket.
func (l *login) withCache(ctx context.Context, c *cache) (saslkerberos.SecurityContext, error) {
	if err := l.parseService(); err != nil {
		return nil, err
	}
	expired := error(nil)
	for _, t := range c.tickets {
		sameRealm := l.service.realm == "" || l.service.realm == t.service.realm
		if !t.client.is(c.principal) || !sameRealm || !slices.Equal(t.service.name, l.service.name) {
			continue
		}
		if _, err := t.key.algorithm(); err != nil {
			continue
		}
		if err := l.valid(&t); err != nil {
			expired = err
			continue
		}
		return l.newContext(t)
	}
	for _, t := range c.tickets {
		if !t.client.is(c.principal) || !t.service.is(grantingService(c.principal.realm, c.principal.realm)) {
			continue
		}
		if _, err := t.key.algorithm(); err != nil {
			return nil, fmt.Errorf("%w: the ticket-granting ticket in %s: %w; call kinit again with AES permitted", sasl.ErrConfig, c.path, err)
		}
		if err := l.valid(&t); err != nil {
			expired = err
			continue
		}
		if _, err := l.configuration(); err != nil {
			return nil, err
		}
		if err := l.parseService(); err != nil {
			return nil, err
		}
		granted, err := l.serviceTicket(ctx, t)
		if err != nil {
			return nil, err
		}
		return l.newContext(granted)
	}
	if expired != nil {
		return nil, expired
	}
	return nil, fmt.Errorf("%w: the credential cache %s has no ticket for %s and no ticket-granting ticket: call kinit",
		sasl.ErrAuthentication, c.path, sasl.Printable(l.request.Service))
}
