package integration

import (
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
	"github.com/saslkit/saslkit/kerberos/krb5"
)

// TestKerberosLayerBulk reads 50 MB through the layers and through the bare connection,
// with both kinds of keys, and logs the speeds.
func TestKerberosLayerBulk(t *testing.T) {
	srv := harness.Kerberos(t)
	keytab := srv.File(t, "alice.keytab")
	for kind, types := range map[string]string{"sha1": "aes256-cts-hmac-sha1-96", "sha2": "aes256-cts-hmac-sha384-192"} {
		initiator := krb5.Keytab("alice", keytab, &krb5.Options{Config: srv.Config(t, "permitted_enctypes = "+types)})
		auth := &sasl.Client{Mechanisms: []sasl.Mechanism{saslkerberos.GSSAPI(initiator, nil)}, Allow: sasl.AllowInsecure("GSSAPI")}
		layers := []sasl.LayerStrength{sasl.NoLayer, sasl.IntegrityLayer, sasl.ConfidentialityLayer}
		took := make(map[sasl.LayerStrength]time.Duration)
		for _, layer := range layers {
			client := openLDAP(t, "ldap://"+srv.Host, withoutTLS(srv.LDAP, layer))
			if _, err := client.SASLBind(t.Context(), auth); err != nil {
				t.Fatal(err)
			}
			took[layer] = min(readBulk(t, client), readBulk(t, client))
		}
		for _, layer := range layers {
			t.Logf("%s, %s: %v, %.2f of the speed of the bare connection", kind, layer, took[layer], took[sasl.NoLayer].Seconds()/took[layer].Seconds())
		}
	}
}

// readBulk reads the entries below ou=large and returns the time.
func readBulk(t *testing.T, client *saslldap.Client) time.Duration {
	t.Helper()
	start := time.Now()
	found, err := client.Search(ldap.NewSearchRequest("ou=large,dc=test", ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=device)", nil, nil))
	took := time.Since(start)
	if err != nil || len(found.Entries) != 500 {
		t.Fatalf("%d entries, %v", len(found.Entries), err)
	}
	octets := 0
	for _, e := range found.Entries {
		octets += len(e.GetAttributeValue("description"))
	}
	if octets != 50_000_000 {
		t.Errorf("%d octets", octets)
	}
	return took
}
