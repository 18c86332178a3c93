package integration

import (
	"crypto/tls"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
	"github.com/saslkit/saslkit/kerberos/krb5"
)

// withoutTLS are the options for a connection to an address without TLS.
func withoutTLS(address string, layer sasl.LayerStrength) *saslldap.Options {
	return &saslldap.Options{Address: address, NoStartTLS: true, Layer: layer}
}

// TestKerberosLayer: without TLS, the default policy allows GSSAPI and GSS-SPNEGO with a
// confidential layer. OpenLDAP limits the octets of a token, or demands one strength.
func TestKerberosLayer(t *testing.T) {
	t.Parallel()
	srv := harness.Kerberos(t)
	both := &krb5.Options{Config: srv.Config(t)}
	sha1 := &krb5.Options{Config: srv.Config(t, "permitted_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96")}
	sha2 := &krb5.Options{Config: srv.Config(t, "permitted_enctypes = aes256-cts-hmac-sha384-192")}
	alice := func(o *krb5.Options) saslkerberos.Initiator {
		return krb5.Keytab("alice@KERBEROS.TEST", srv.File(t, "alice.keytab"), o)
	}
	gssapi, spnego := saslkerberos.GSSAPI(alice(both), nil), saslkerberos.SPNEGO(alice(both), nil)
	allow := sasl.AllowInsecure("GSSAPI", "GSS-SPNEGO")
	for name, row := range map[string]struct {
		address   string
		mechanism sasl.Mechanism
		layer     sasl.LayerStrength
		allow     func(sasl.Candidate) error // nil = the default policy
		want      sasl.LayerStrength         // "" = the server or the client refuses
	}{
		"automatic":                         {srv.LDAP, gssapi, "", nil, sasl.ConfidentialityLayer},
		"automatic, sha1":                   {srv.LDAP, saslkerberos.GSSAPI(alice(sha1), nil), "", nil, sasl.ConfidentialityLayer},
		"automatic, sha2":                   {srv.LDAP, saslkerberos.GSSAPI(alice(sha2), nil), "", nil, sasl.ConfidentialityLayer},
		"automatic, SPNEGO":                 {srv.LDAP, spnego, "", nil, sasl.ConfidentialityLayer},
		"automatic, confidential server":    {srv.LDAPConfidentiality, gssapi, "", nil, sasl.ConfidentialityLayer},
		"automatic, small tokens":           {srv.LDAPSmall, gssapi, "", nil, sasl.ConfidentialityLayer},
		"automatic, small tokens, sha2":     {srv.LDAPSmall, saslkerberos.GSSAPI(alice(sha2), nil), "", nil, sasl.ConfidentialityLayer},
		"automatic, server without sealing": {srv.LDAPIntegrity, gssapi, "", nil, ""},
		"integrity":                         {srv.LDAP, gssapi, sasl.IntegrityLayer, allow, sasl.IntegrityLayer},
		"integrity, sha2":                   {srv.LDAP, saslkerberos.GSSAPI(alice(sha2), nil), sasl.IntegrityLayer, allow, sasl.IntegrityLayer},
		"integrity, SPNEGO":                 {srv.LDAP, spnego, sasl.IntegrityLayer, allow, sasl.IntegrityLayer},
		"integrity alone":                   {srv.LDAPIntegrity, gssapi, sasl.IntegrityLayer, allow, sasl.IntegrityLayer},
		"integrity, confidential server":    {srv.LDAPConfidentiality, gssapi, sasl.IntegrityLayer, allow, sasl.ConfidentialityLayer},
		"integrity, default policy":         {srv.LDAP, gssapi, sasl.IntegrityLayer, nil, ""},
		"none, default policy":              {srv.LDAP, gssapi, sasl.NoLayer, nil, ""},
		"none, confidential server":         {srv.LDAPConfidentiality, gssapi, sasl.NoLayer, allow, ""},
	} {
		t.Run(name, func(t *testing.T) {
			client := openLDAP(t, "ldap://"+srv.Host, withoutTLS(row.address, row.layer))
			result, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}, Allow: row.allow})
			if row.want == "" {
				if !errors.Is(err, sasl.ErrPolicy) {
					t.Errorf("%+v, %v", result, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if result.Layer != row.want || result.Username != "alice@KERBEROS.TEST" {
				t.Errorf("%+v", result)
			}
			checkIdentity(t, client, aliceDN)
		})
	}
}

// TestKerberosLayerUnderTLS: under TLS a layer is negotiated only if the caller wants it.
func TestKerberosLayerUnderTLS(t *testing.T) {
	t.Parallel()
	srv := harness.Kerberos(t)
	initiator := krb5.Keytab("alice", srv.File(t, "alice.keytab"), &krb5.Options{Config: srv.Config(t)})
	for layer, want := range map[sasl.LayerStrength]sasl.LayerStrength{"": "", sasl.IntegrityLayer: sasl.IntegrityLayer} {
		client := openLDAP(t, "ldaps://"+srv.Host, &saslldap.Options{TLSConfig: srv.ClientConfig(tls.VersionTLS13), Address: srv.LDAPS, Layer: layer})
		result, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{saslkerberos.GSSAPI(initiator, nil)}})
		if err != nil || result.Layer != want {
			t.Fatalf("%q: %+v, %v", layer, result, err)
		}
		checkIdentity(t, client, aliceDN)
	}
}

// TestKerberosLayerAgain: a second bind on a connection with a layer replaces the layer,
// and a simple bind leaves it.
func TestKerberosLayerAgain(t *testing.T) {
	t.Parallel()
	srv := harness.Kerberos(t)
	initiator := krb5.Keytab("alice", srv.File(t, "alice.keytab"), &krb5.Options{Config: srv.Config(t)})
	client := openLDAP(t, "ldap://"+srv.Host, withoutTLS(srv.LDAP, ""))
	for _, m := range []sasl.Mechanism{
		saslkerberos.GSSAPI(initiator, nil), saslkerberos.SPNEGO(initiator, nil), saslkerberos.GSSAPI(initiator, nil),
	} {
		result, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}})
		if err != nil || result.Layer != sasl.ConfidentialityLayer {
			t.Fatalf("%s: %+v, %v", m.Name(), result, err)
		}
		checkIdentity(t, client, aliceDN)
	}
	if err := client.UnauthenticatedBind(""); err != nil {
		t.Fatal(err)
	}
	checkIdentity(t, client, "")
}

// TestKerberosLayerUnderLoad: eight goroutines share a connection whose tokens have 100
// octets at most.
func TestKerberosLayerUnderLoad(t *testing.T) {
	t.Parallel()
	srv := harness.Kerberos(t)
	initiator := krb5.Keytab("alice", srv.File(t, "alice.keytab"), &krb5.Options{Config: srv.Config(t)})
	client := openLDAP(t, "ldap://"+srv.Host, withoutTLS(srv.LDAPSmall, ""))
	if _, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{saslkerberos.GSSAPI(initiator, nil)}}); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 10 {
				found, err := client.Search(ldap.NewSearchRequest("ou=people,dc=test", ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(uid=alice)", nil, nil))
				if err != nil || len(found.Entries) != 1 || found.Entries[0].GetAttributeValue("cn") != "Alice" {
					t.Errorf("%+v, %v", found, err)
				}
			}
		})
	}
	group.Wait()
}

// TestActiveDirectoryLayer: without TLS a domain controller demands a layer, and under
// TLS it refuses one.
func TestActiveDirectoryLayer(t *testing.T) {
	t.Parallel()
	srv := harness.Samba(t)
	alice := krb5.Password(sasl.Password("alice@AD.TEST", "secret"), &krb5.Options{Config: srv.Config(t)})
	allow := sasl.AllowInsecure("GSSAPI", "GSS-SPNEGO")
	underTLS := func(layer sasl.LayerStrength) *saslldap.Options {
		return &saslldap.Options{TLSConfig: srv.ClientConfig(tls.VersionTLS13), Address: srv.LDAP, Layer: layer}
	}
	for _, m := range []sasl.Mechanism{saslkerberos.GSSAPI(alice, nil), saslkerberos.SPNEGO(alice, nil)} {
		for name, row := range map[string]struct {
			options *saslldap.Options
			want    sasl.LayerStrength
			words   string // of the refusal; "" = success
		}{
			"automatic":       {withoutTLS(srv.LDAP, ""), sasl.ConfidentialityLayer, ""},
			"integrity":       {withoutTLS(srv.LDAP, sasl.IntegrityLayer), sasl.IntegrityLayer, ""},
			"none":            {withoutTLS(srv.LDAP, sasl.NoLayer), "", "Sign or Seal are required"},
			"under TLS":       {underTLS(""), "", ""},
			"layer under TLS": {underTLS(sasl.ConfidentialityLayer), "", "Sign or Seal are not allowed if TLS is used"},
		} {
			t.Run(m.Name()+"/"+name, func(t *testing.T) {
				client := openLDAP(t, "ldap://"+srv.Host, row.options)
				result, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}, Allow: allow})
				if row.words != "" {
					if !errors.Is(err, sasl.ErrPolicy) || !strings.Contains(err.Error(), row.words) {
						t.Error(err)
					}
					return
				}
				if err != nil || result.Layer != row.want {
					t.Fatalf("%+v, %v", result, err)
				}
				checkWhoAmI(t, client, `u:ADT\alice`)
			})
		}
	}
}
