package integration

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// dialLDAP connects with StartTLS or with TLS from the first byte.
type dialLDAP func(config *tls.Config) *saslldap.Client

// everyLDAPWay runs a test over both kinds and both versions of TLS.
func everyLDAPWay(t *testing.T, start func(testing.TB) *harness.LDAPServer, test func(t *testing.T, srv *harness.LDAPServer, dial dialLDAP, version uint16)) {
	for _, scheme := range []string{"ldap", "ldaps"} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(scheme+"/"+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				srv := start(t)
				address := map[string]string{"ldap": srv.LDAP, "ldaps": srv.LDAPS}[scheme]
				test(t, srv, func(config *tls.Config) *saslldap.Client {
					t.Helper()
					return openLDAP(t, scheme+"://"+srv.Host, &saslldap.Options{TLSConfig: config, Address: address})
				}, version)
			})
		}
	}
}

func openLDAP(t *testing.T, url string, options *saslldap.Options) *saslldap.Client {
	t.Helper()
	client, err := saslldap.DialURL(t.Context(), url, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// checkIdentity asks the server who is bound, and reads with that right.
func checkIdentity(t *testing.T, client *saslldap.Client, want string) {
	t.Helper()
	who, err := client.WhoAmI(nil)
	if err != nil || who.AuthzID != want {
		t.Errorf("who am I: %+v, %v, want %q", who, err, want)
	}
	found, err := client.Search(ldap.NewSearchRequest("ou=people,dc=test", ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(uid=alice)", []string{"cn"}, nil))
	if err != nil || len(found.Entries) != 1 || found.Entries[0].GetAttributeValue("cn") != "Alice" {
		t.Errorf("search: %+v, %v", found, err)
	}
}

const (
	aliceDN = "dn:uid=alice,ou=people,dc=test"
	bobDN   = "dn:uid=bob,ou=people,dc=test"
)

var openLDAPHashes = []sasl.Hash{sasl.SHA1, sasl.SHA224, sasl.SHA256, sasl.SHA384, sasl.SHA512}

// TestSASLLDAPEveryMechanism: what OpenLDAP offers, each by itself.
func TestSASLLDAPEveryMechanism(t *testing.T) {
	t.Parallel()
	everyLDAPWay(t, harness.OpenLDAP, func(t *testing.T, srv *harness.LDAPServer, dial dialLDAP, version uint16) {
		list := []sasl.Mechanism{
			sasl.Plain(alice), sasl.Plain(alice.ActingAs("u:bob")), sasl.Anonymous("sirhc"), sasl.External(""), sasl.External("u:bob"),
			sasl.SCRAM(sasl.SHA256, alice.ActingAs("u:bob")), sasl.SCRAMPlus(sasl.SHA256, alice.ActingAs(bobDN)),
		}
		for _, h := range openLDAPHashes {
			list = append(list, sasl.SCRAM(h, alice), sasl.SCRAMPlus(h, alice))
		}
		for _, m := range list {
			config := srv.ClientConfig(version)
			if m.Name() == "EXTERNAL" {
				config.Certificates = []tls.Certificate{srv.PKI.ClientCert("alice")}
			}
			client := dial(config)
			result, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}})
			if err != nil {
				t.Errorf("%s: %v", m.Name(), err)
				continue
			}
			binding := ""
			if strings.HasSuffix(m.Name(), "-PLUS") {
				binding = "tls-server-end-point"
			}
			if result.Mechanism != m.Name() || result.Binding != binding {
				t.Errorf("%s: %+v", m.Name(), result)
			}
			want := aliceDN
			switch {
			case result.Authzid != "":
				want = bobDN
			case m.Name() == "ANONYMOUS":
				want = ""
			}
			checkIdentity(t, client, want)
		}
	})
}

// TestSASLLDAPUnique: a server that binds to something else than a client can
// learn. The error names the setting, with which the login works if TLS has that type.
func TestSASLLDAPUnique(t *testing.T) {
	t.Parallel()
	everyLDAPWay(t, harness.OpenLDAPUnique, func(t *testing.T, srv *harness.LDAPServer, dial dialLDAP, version uint16) {
		_, err := dial(srv.ClientConfig(version)).SASLBind(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
		if !errors.Is(err, sasl.ErrSecurity) || hints(err) != "binding" {
			t.Errorf("its default: %v", err)
		}
		if version != tls.VersionTLS12 {
			return
		}
		client := dial(srv.ClientConfig(version))
		result, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), BindingTypes: []string{"tls-unique"}})
		if err != nil || result != (sasl.Result{Mechanism: "SCRAM-SHA-512-PLUS", Binding: "tls-unique", Username: "alice", RoundTrips: 2}) {
			t.Errorf("%+v, %v", result, err)
		}
		checkIdentity(t, client, aliceDN)
	})
}

// TestSASLLDAPAfterLibrary: a bind of the library comes first. One that is not
// SASL leaves the server what it binds to; EXTERNAL does not.
func TestSASLLDAPAfterLibrary(t *testing.T) {
	t.Parallel()
	everyLDAPWay(t, harness.OpenLDAP, func(t *testing.T, srv *harness.LDAPServer, dial dialLDAP, version uint16) {
		for want, before := range map[string]func(client *saslldap.Client) error{
			"SCRAM-SHA-512-PLUS": func(client *saslldap.Client) error {
				return client.Bind(strings.TrimPrefix(bobDN, "dn:"), "hunter2")
			},
			"SCRAM-SHA-512": func(client *saslldap.Client) error { return client.ExternalBind() },
		} {
			config := srv.ClientConfig(version)
			config.Certificates = []tls.Certificate{srv.PKI.ClientCert("bob")}
			client := dial(config)
			if err := before(client); err != nil {
				t.Fatal(err)
			}
			checkIdentity(t, client, bobDN)
			result, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
			if err != nil || result.Mechanism != want {
				t.Errorf("%+v, %v, want %s", result, err, want)
			}
			checkIdentity(t, client, aliceDN)
		}
	})
}

// TestSASLLDAPUnlisted: a server that does not say what it offers, told by the
// caller. Somebody in between keeps the list from the client.
func TestSASLLDAPUnlisted(t *testing.T) {
	t.Parallel()
	srv := harness.OpenLDAP(t)
	config := srv.ClientConfig(tls.VersionTLS13)
	address := harness.MITM{
		Server: srv.LDAPS, Upstream: config, Cert: srv.PKI.ServerCert(srv.Host), Implicit: true, LDAP: true,
		FromServer: func(message string, _ bool) string {
			return strings.ReplaceAll(message, "supportedSASLMechanisms", "supportedXXXXMechanisms")
		},
	}.Start(t)
	auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAM(sasl.SHA256, alice)}}
	client := openLDAP(t, "ldaps://"+srv.Host, &saslldap.Options{TLSConfig: config, Address: address})
	if _, err := client.SASLBind(t.Context(), auth); !errors.Is(err, saslldap.ErrNoList) {
		t.Errorf("not told: %v", err)
	}
	client = openLDAP(t, "ldaps://"+srv.Host, &saslldap.Options{TLSConfig: config, Address: address, Mechanisms: []string{"SCRAM-SHA-256"}})
	if _, err := client.SASLBind(t.Context(), auth); err != nil {
		t.Errorf("told: %v", err)
	}
	checkIdentity(t, client, aliceDN)
	for name, row := range map[string]commandRow{
		"not told": {address, "secret", []string{"ldaps://alice@openldap.test"}, 5, "policy", "", "--mechanism counts as the list of such a server"},
		"told":     {address, "secret", []string{"--mechanism", "SCRAM-SHA-256", "ldaps://alice@openldap.test"}, 0, "", "", ""},
	} {
		t.Run("by the command, "+name, func(t *testing.T) { row.check(t, srv.Named) })
	}
}
