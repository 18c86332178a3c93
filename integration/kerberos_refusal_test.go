package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
	"github.com/saslkit/saslkit/kerberos/krb5"
)

// flipped changes the last bit of the channel binding.
func flipped(initiator saslkerberos.Initiator) saslkerberos.Initiator {
	return func(ctx context.Context, request saslkerberos.Request) (saslkerberos.SecurityContext, error) {
		request.ChannelBinding = slices.Clone(request.ChannelBinding)
		request.ChannelBinding[len(request.ChannelBinding)-1] ^= 1
		return initiator(ctx, request)
	}
}

// TestKerberosBinding: OpenLDAP refuses a wrong channel binding and accepts an
// absent one, which a Client that requires bindings does not send.
func TestKerberosBinding(t *testing.T) {
	t.Parallel()
	srv := harness.Kerberos(t)
	initiator := krb5.Keytab("alice", srv.File(t, "alice.keytab"), &krb5.Options{Config: srv.Config(t)})
	for _, m := range []func(saslkerberos.Initiator, *saslkerberos.Options) sasl.Mechanism{
		saslkerberos.GSSAPI, saslkerberos.GSSAPIPlus, saslkerberos.SPNEGO, saslkerberos.SPNEGOPlus, saslkerberos.GS2KRB5Plus,
	} {
		mechanism := m(flipped(initiator), nil)
		t.Run(mechanism.Name(), func(t *testing.T) {
			client := openLDAP(t, "ldaps://"+srv.Host, &saslldap.Options{TLSConfig: srv.ClientConfig(tls.VersionTLS13), Address: srv.LDAPS})
			_, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{mechanism}})
			if !errors.Is(err, sasl.ErrAuthentication) || hints(err) != "service-key clock binding" {
				t.Errorf("%v, %s", err, hints(err))
			}
		})
	}
	client := openLDAP(t, "ldaps://"+srv.Host, &saslldap.Options{TLSConfig: srv.ClientConfig(tls.VersionTLS13), Address: srv.LDAPS})
	absent := &sasl.Client{Mechanisms: []sasl.Mechanism{saslkerberos.GSSAPI(initiator, nil)}, Binding: sasl.DisableBinding}
	if result, err := client.SASLBind(t.Context(), absent); err != nil || result.Binding != "" {
		t.Errorf("absent: %+v, %v", result, err)
	}
	checkWhoAmI(t, client, aliceDN)
}

// TestKerberosRequireBinding: only the caller knows that a server checks the binding
// of GSSAPI; GSSAPI-PLUS promises it.
func TestKerberosRequireBinding(t *testing.T) {
	t.Parallel()
	srv := harness.Kerberos(t)
	initiator := krb5.Keytab("alice", srv.File(t, "alice.keytab"), &krb5.Options{Config: srv.Config(t)})
	for _, enforces := range []bool{false, true} {
		options := &saslldap.Options{TLSConfig: srv.ClientConfig(tls.VersionTLS13), Address: srv.LDAP, EnforcesBinding: enforces}
		client := openLDAP(t, "ldap://"+srv.Host, options)
		auth := &sasl.Client{Mechanisms: []sasl.Mechanism{saslkerberos.GSSAPI(initiator, nil)}, Binding: sasl.RequireBinding}
		if _, err := client.SASLBind(t.Context(), auth); enforces != (err == nil) || !enforces && !errors.Is(err, sasl.ErrPolicy) {
			t.Errorf("the server enforces bindings: %v, %v", enforces, err)
		}
	}
	client := openLDAP(t, "ldap://"+srv.Host, &saslldap.Options{TLSConfig: srv.ClientConfig(tls.VersionTLS13), Address: srv.LDAP})
	auth := &sasl.Client{Mechanisms: saslkerberos.Mechanisms(initiator, nil), Binding: sasl.RequireBinding}
	if result, err := client.SASLBind(t.Context(), auth); err != nil || result.Mechanism != "GSSAPI-PLUS" || result.BindingUnconfirmed {
		t.Errorf("%+v, %v", result, err)
	}
}

// TestKerberosRefusals: what the KDC and the server refuse, with the class and a
// sentence that says what to do.
func TestKerberosRefusals(t *testing.T) {
	t.Parallel()
	srv := harness.Kerberos(t)
	o := &krb5.Options{Config: srv.Config(t)}
	alice := krb5.Keytab("alice", srv.File(t, "alice.keytab"), o)
	password := func(principal, password string) saslkerberos.Initiator {
		return krb5.Password(sasl.Password(principal, password), o)
	}
	for name, row := range map[string]struct {
		initiator saslkerberos.Initiator
		options   saslkerberos.Options
		address   string
		class     error
		text      string
		hints     string
	}{
		"wrong password":         {password("alice", "wrong"), saslkerberos.Options{}, srv.LDAP, sasl.ErrAuthentication, "the password or the key is wrong", ""},
		"noticed by the client":  {password("grace", "wrong"), saslkerberos.Options{}, srv.LDAP, sasl.ErrAuthentication, "the password or the key is wrong", ""},
		"unknown principal":      {password("nobody", "secret"), saslkerberos.Options{}, srv.LDAP, sasl.ErrAuthentication, "no such principal", ""},
		"expired principal":      {password("dora", "secret"), saslkerberos.Options{}, srv.LDAP, sasl.ErrAuthorization, "may be disabled, locked or expired", ""},
		"expired password":       {password("erin", "secret"), saslkerberos.Options{}, srv.LDAP, sasl.ErrAuthentication, "the password has expired", ""},
		"disabled principal":     {password("frank", "secret"), saslkerberos.Options{}, srv.LDAP, sasl.ErrAuthorization, "may be disabled, locked or expired", ""},
		"another realm":          {password("alice@OTHER.TEST", "secret"), saslkerberos.Options{}, srv.LDAP, sasl.ErrConfig, "the realm OTHER.TEST has no KDC", ""},
		"expired ticket":         {krb5.Cache(srv.File(t, "expired.ccache"), o), saslkerberos.Options{}, srv.LDAP, sasl.ErrAuthentication, "the ticket has expired; call kinit again", ""},
		"a keytab of another":    {krb5.Keytab("alice", srv.File(t, "bob.keytab"), o), saslkerberos.Options{}, srv.LDAP, sasl.ErrConfig, "no AES key of alice@KERBEROS.TEST", ""},
		"unknown service":        {alice, saslkerberos.Options{ServicePrincipal: "ldap/nowhere.test"}, srv.LDAP, sasl.ErrConfig, "the KDC knows no such service", ""},
		"ticket for one service": {krb5.Cache(srv.File(t, "service.ccache"), o), saslkerberos.Options{ServicePrincipal: "imap/kerberos.test"}, srv.LDAP, sasl.ErrAuthentication, "has no ticket for imap/kerberos.test and no ticket-granting ticket", ""},
		"another service":        {alice, saslkerberos.Options{ServicePrincipal: "ldap/elsewhere.test"}, srv.LDAP, sasl.ErrAuthentication, "gss_accept_sec_context", "service-key clock binding"},
		"another clock":          {alice, saslkerberos.Options{}, srv.LDAPSkewed, sasl.ErrAuthentication, "gss_accept_sec_context", "service-key clock binding"},
		"authzid":                {alice, saslkerberos.Options{Authzid: "u:carol"}, srv.LDAP, sasl.ErrAuthorization, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			client := openLDAP(t, "ldap://"+srv.Host, &saslldap.Options{TLSConfig: srv.ClientConfig(tls.VersionTLS13), Address: row.address})
			_, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{saslkerberos.GSSAPI(row.initiator, &row.options)}})
			if !errors.Is(err, row.class) || !strings.Contains(err.Error(), row.text) || hints(err) != row.hints {
				t.Errorf("%v, %q", err, hints(err))
			}
			// The connection is in sync: another login may follow. OpenLDAP keeps an authzid that it has refused.
			if row.options.Authzid != "" {
				return
			}
			result, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{saslkerberos.GSSAPI(alice, nil)}})
			if row.address == srv.LDAP && (err != nil || result.Username != "alice@KERBEROS.TEST") {
				t.Errorf("afterwards: %+v, %v", result, err)
			}
		})
	}
}

// TestKerberosNoCommonType: the KDC has no key of a type that the client allows.
func TestKerberosNoCommonType(t *testing.T) {
	t.Parallel()
	srv := harness.Kerberos(t)
	o := &krb5.Options{Config: srv.Config(t, "permitted_enctypes = aes128-cts-hmac-sha1-96")}
	client := openLDAP(t, "ldap://"+srv.Host, &saslldap.Options{TLSConfig: srv.ClientConfig(tls.VersionTLS13), Address: srv.LDAP})
	initiator := krb5.Password(sasl.Password("henry", "secret"), o) // he has a key of aes256-sha2 only
	_, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{saslkerberos.GSSAPI(initiator, nil)}})
	if !errors.Is(err, sasl.ErrPolicy) || !strings.Contains(err.Error(), "no key of a type that is allowed here") {
		t.Error(err)
	}
}

// TestActiveDirectoryBinding: a domain controller refuses a login with a wrong
// channel binding and one without, as somebody in between would have them.
func TestActiveDirectoryBinding(t *testing.T) {
	t.Parallel()
	srv := harness.Samba(t)
	o := &krb5.Options{Config: srv.Config(t)}
	alice := krb5.Password(sasl.Password("alice@AD.TEST", "secret"), o)
	for name, row := range map[string]struct {
		initiator saslkerberos.Initiator
		binding   sasl.BindingPolicy
	}{
		"wrong":  {flipped(alice), sasl.PreferBinding},
		"absent": {alice, sasl.DisableBinding},
	} {
		for _, m := range []sasl.Mechanism{saslkerberos.GSSAPI(row.initiator, nil), saslkerberos.SPNEGO(row.initiator, nil)} {
			t.Run(name+"/"+m.Name(), func(t *testing.T) {
				client := openLDAP(t, "ldaps://"+srv.Host, &saslldap.Options{TLSConfig: srv.ClientConfig(tls.VersionTLS13), Address: srv.LDAPS})
				_, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}, Binding: row.binding})
				if !errors.Is(err, sasl.ErrSecurity) || !strings.Contains(err.Error(), "80090346") {
					t.Error(err)
				}
			})
		}
	}
	other := saslkerberos.GSSAPI(alice, &saslkerberos.Options{ServicePrincipal: "ldap/alias.ad.test"})
	client := openLDAP(t, "ldaps://"+srv.Host, &saslldap.Options{TLSConfig: srv.ClientConfig(tls.VersionTLS13), Address: srv.LDAPS})
	if _, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{other}}); !errors.Is(err, sasl.ErrConfig) || !strings.Contains(err.Error(), "knows no such service") {
		t.Errorf("another host name: %v", err)
	}
	for user, row := range map[string]struct {
		password string
		class    error
	}{
		"alice": {"wrong", sasl.ErrAuthentication}, "nobody": {"secret", sasl.ErrAuthentication},
		"carol": {"disabled", sasl.ErrAuthorization}, "dora": {"expired", sasl.ErrAuthentication},
	} {
		t.Run(user, func(t *testing.T) {
			client := openLDAP(t, "ldaps://"+srv.Host, &saslldap.Options{TLSConfig: srv.ClientConfig(tls.VersionTLS13), Address: srv.LDAPS})
			initiator := krb5.Password(sasl.Password(user+"@AD.TEST", row.password), o)
			if _, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{saslkerberos.GSSAPI(initiator, nil)}}); !errors.Is(err, row.class) {
				t.Error(err)
			}
		})
	}
}

// TestActiveDirectoryManInTheMiddle: a man in the middle with a certificate that the
// client trusts cannot use its login.
func TestActiveDirectoryManInTheMiddle(t *testing.T) {
	t.Parallel()
	srv := harness.Samba(t)
	config := srv.ClientConfig(tls.VersionTLS13)
	address := harness.MITM{
		Server: srv.LDAPS, Upstream: config, Cert: srv.PKI.ServerCert(srv.Host), Implicit: true, LDAP: true,
	}.Start(t)
	client := openLDAP(t, "ldaps://"+srv.Host, &saslldap.Options{TLSConfig: config, Address: address})
	initiator := krb5.Password(sasl.Password("alice@AD.TEST", "secret"), &krb5.Options{Config: srv.Config(t)})
	_, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{saslkerberos.GSSAPI(initiator, nil)}})
	if !errors.Is(err, sasl.ErrSecurity) || hints(err) != "binding" {
		t.Errorf("%v, %q", err, hints(err))
	}
}
