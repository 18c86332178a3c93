package integration

import (
	"crypto/tls"
	"testing"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
	"github.com/saslkit/saslkit/kerberos/krb5"
)

// endPoint is the type of channel binding that GSSAPI has in LDAP.
const endPoint = "tls-server-end-point"

// kerberosWays are the ways to LDAP with TLS.
func kerberosWays(srv *harness.KerberosServer) map[string]*saslldap.Options {
	ways := make(map[string]*saslldap.Options)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		ways["ldap "+tls.VersionName(version)] = &saslldap.Options{TLSConfig: srv.ClientConfig(version), Address: srv.LDAP}
		ways["ldaps "+tls.VersionName(version)] = &saslldap.Options{TLSConfig: srv.ClientConfig(version), Address: srv.LDAPS}
	}
	return ways
}

// TestKerberosCredentials: every kind of credentials logs in to OpenLDAP.
func TestKerberosCredentials(t *testing.T) {
	t.Parallel()
	srv := harness.Kerberos(t)
	both := &krb5.Options{Config: srv.Config(t)}
	sha1 := &krb5.Options{Config: srv.Config(t, "permitted_enctypes = aes128-cts-hmac-sha1-96")}
	sha2 := &krb5.Options{Config: srv.Config(t, "permitted_enctypes = aes256-cts-hmac-sha384-192")}
	keytab := srv.File(t, "alice.keytab")
	for name, initiator := range map[string]saslkerberos.Initiator{
		"cache":                krb5.Cache(srv.File(t, "alice.ccache"), both),
		"service ticket":       krb5.Cache("FILE:"+srv.File(t, "service.ccache"), nil), // it needs no KDC
		"keytab":               krb5.Keytab("alice", keytab, both),
		"keytab's first":       krb5.Keytab("", keytab, both),
		"keytab, sha1":         krb5.Keytab("alice@KERBEROS.TEST", keytab, sha1),
		"keytab, sha2":         krb5.Keytab("alice@KERBEROS.TEST", keytab, sha2),
		"password":             krb5.Password(sasl.Password("alice", "secret"), both),
		"password, sha1":       krb5.Password(sasl.Password("alice@KERBEROS.TEST", "secret"), sha1),
		"password, sha2":       krb5.Password(sasl.Password("alice@KERBEROS.TEST", "secret"), sha2),
		"renamed, other salt":  krb5.Password(sasl.Password("carol", "secret"), both),
		"no preauthentication": krb5.Password(sasl.Password("grace", "secret"), both),
	} {
		for way, options := range kerberosWays(srv) {
			t.Run(name+"/"+way, func(t *testing.T) {
				scheme := way[:len(way)-len(" TLS 1.3")]
				client := openLDAP(t, scheme+"://"+srv.Host, options)
				result, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{saslkerberos.GSSAPI(initiator, nil)}})
				if err != nil {
					t.Fatal(err)
				}
				if result.Mechanism != "GSSAPI" || result.Binding != endPoint || !result.BindingUnconfirmed {
					t.Errorf("%+v", result)
				}
				checkWhoAmI(t, client, map[string]string{
					"alice@KERBEROS.TEST": "dn:uid=alice,ou=people,dc=test",
					"carol@KERBEROS.TEST": "dn:uid=carol,ou=people,dc=test",
					"grace@KERBEROS.TEST": "dn:uid=grace,ou=people,dc=test",
				}[result.Username])
			})
		}
	}
}

// checkWhoAmI asks the server who is bound.
func checkWhoAmI(t *testing.T, client *saslldap.Client, want string) {
	t.Helper()
	who, err := client.WhoAmI(nil)
	if err != nil || who.AuthzID != want {
		t.Errorf("who am I: %+v, %v, want %q", who, err, want)
	}
}

// TestKerberosMechanisms: every mechanism that OpenLDAP offers under TLS.
func TestKerberosMechanisms(t *testing.T) {
	t.Parallel()
	srv := harness.Kerberos(t)
	initiator := krb5.Keytab("alice", srv.File(t, "alice.keytab"), &krb5.Options{Config: srv.Config(t)})
	bob := &saslkerberos.Options{Authzid: "u:bob"}
	for _, row := range []struct {
		mechanism sasl.Mechanism
		binding   string
		who       string
	}{
		{saslkerberos.GSSAPI(initiator, nil), endPoint, aliceDN},
		{saslkerberos.GSSAPIPlus(initiator, nil), endPoint, aliceDN},
		{saslkerberos.GSSAPI(initiator, bob), endPoint, bobDN},
		{saslkerberos.SPNEGO(initiator, nil), endPoint, aliceDN},
		{saslkerberos.SPNEGOPlus(initiator, nil), endPoint, aliceDN},
		{saslkerberos.GS2KRB5(initiator, nil), "", aliceDN},
		{saslkerberos.GS2KRB5Plus(initiator, nil), endPoint, aliceDN},
		{saslkerberos.GS2KRB5Plus(initiator, bob), endPoint, bobDN},
	} {
		for way, options := range kerberosWays(srv) {
			t.Run(row.mechanism.Name()+"/"+way, func(t *testing.T) {
				client := openLDAP(t, way[:len(way)-len(" TLS 1.3")]+"://"+srv.Host, options)
				result, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}})
				if err != nil {
					t.Fatal(err)
				}
				if result.Mechanism != row.mechanism.Name() || result.Binding != row.binding || result.Username != "alice@KERBEROS.TEST" {
					t.Errorf("%+v", result)
				}
				checkWhoAmI(t, client, row.who)
			})
		}
	}
}

// TestActiveDirectory: a domain controller that enforces channel bindings takes the
// login of a user with a password.
func TestActiveDirectory(t *testing.T) {
	t.Parallel()
	srv := harness.Samba(t)
	initiator := krb5.Password(sasl.Password("alice@AD.TEST", "secret"), &krb5.Options{Config: srv.Config(t)})
	for scheme, address := range map[string]string{"ldap": srv.LDAP, "ldaps": srv.LDAPS} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(scheme+" "+tls.VersionName(version), func(t *testing.T) {
				for _, m := range []sasl.Mechanism{saslkerberos.GSSAPI(initiator, nil), saslkerberos.SPNEGO(initiator, nil)} {
					client := openLDAP(t, scheme+"://"+srv.Host, &saslldap.Options{TLSConfig: srv.ClientConfig(version), Address: address})
					result, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}})
					if err != nil {
						t.Fatal(err)
					}
					if result.Mechanism != m.Name() || result.Binding != endPoint || result.Username != "alice@AD.TEST" {
						t.Errorf("%+v", result)
					}
					checkWhoAmI(t, client, `u:ADT\alice`)
				}
			})
		}
	}
}
