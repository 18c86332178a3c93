package saslldap_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// TestPersistentSearch: a bind does not begin during a persistent search of any
// kind. It waits for a search that ends, also for one that only mentions such a
// control.
func TestPersistentSearch(t *testing.T) {
	const cookie, reload = "", false
	for name, row := range map[string]struct {
		begin   func(ctx context.Context, client *saslldap.Client)
		endless bool
	}{
		"persistent search": {searching(ldap.NewControlString("2.16.840.1.113730.3.4.3", true, "\x30\x09\x02\x01\x0f\x01\x01\xff\x01\x01\xff")), true},
		"notification":      {searching(ldap.NewControlMicrosoftNotification()), true},
		"refreshAndPersist": {func(ctx context.Context, client *saslldap.Client) {
			client.Syncrepl(ctx, all("(objectClass=*)"), 1, ldap.SyncRequestModeRefreshAndPersist, []byte(cookie), reload)
		}, true},
		"refreshOnly": {func(ctx context.Context, client *saslldap.Client) {
			client.Syncrepl(ctx, all("(objectClass=*)"), 1, ldap.SyncRequestModeRefreshOnly, []byte(cookie), reload)
		}, false},
		"paging":        {searching(ldap.NewControlPaging(10)), false},
		"in the filter": {func(_ context.Context, client *saslldap.Client) { client.Search(all("(cn=2.16.840.1.113730.3.4.3)")) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, p := newPeer(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go row.begin(ctx, client)
				running := p.next(ldap.ApplicationSearchRequest)
				outcome := bind(t.Context(), client)
				p.rootDSE(mechanisms("PLAIN"))
				p.nothing()
				if !row.endless {
					p.done(running.id)
					p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 49, "", nil))
					if got := <-outcome; !errors.Is(got.err, sasl.ErrAuthentication) {
						t.Error(got.err)
					}
					return
				}
				if got := <-outcome; !errors.Is(got.err, sasl.ErrConfig) {
					t.Error(got.err)
				}
				p.done(running.id) // the server may end it
				outcome = bind(t.Context(), client)
				p.rootDSE(mechanisms("PLAIN"))
				p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 49, "", nil))
				if got := <-outcome; !errors.Is(got.err, sasl.ErrAuthentication) {
					t.Error(got.err)
				}
			})
		})
	}
}

func all(filter string, controls ...ldap.Control) *ldap.SearchRequest {
	return ldap.NewSearchRequest("dc=test", ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, nil, controls)
}

func searching(control ldap.Control) func(context.Context, *saslldap.Client) {
	return func(_ context.Context, client *saslldap.Client) { client.Search(all("(objectClass=*)", control)) }
}
