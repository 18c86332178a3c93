package integration

import (
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
	"github.com/saslkit/saslkit/kerberos/krb5"
)

// TestKerberosLayerBulk reads 50 MB through a confidential layer and through the bare
// connection, and logs the speeds.
func TestKerberosLayerBulk(t *testing.T) {
	srv := harness.Kerberos(t)
	initiator := krb5.Keytab("alice", srv.File(t, "alice.keytab"), &krb5.Options{Config: srv.Config(t)})
	took := make(map[sasl.LayerStrength]time.Duration)
	for _, layer := range []sasl.LayerStrength{sasl.NoLayer, sasl.IntegrityLayer, sasl.ConfidentialityLayer} {
		client := openLDAP(t, "ldap://"+srv.Host, withoutTLS(srv.LDAP, layer))
		auth := &sasl.Client{Mechanisms: []sasl.Mechanism{saslkerberos.GSSAPI(initiator, nil)}, Allow: sasl.AllowInsecure("GSSAPI")}
		if _, err := client.SASLBind(t.Context(), auth); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			start := time.Now()
			found, err := client.Search(ldap.NewSearchRequest("ou=large,dc=test", ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=device)", nil, nil))
			if err != nil || len(found.Entries) != 500 {
				t.Fatalf("%s: %v", layer, err)
			}
			octets := 0
			for _, e := range found.Entries {
				octets += len(e.GetAttributeValue("description"))
			}
			if octets != 50_000_000 {
				t.Errorf("%s: %d octets", layer, octets)
			}
			if once := time.Since(start); took[layer] == 0 || once < took[layer] {
				took[layer] = once
			}
		}
	}
	for _, layer := range []sasl.LayerStrength{sasl.NoLayer, sasl.IntegrityLayer, sasl.ConfidentialityLayer} {
		t.Logf("%s: %v, %.2f of the speed of the bare connection", layer, took[layer], took[sasl.NoLayer].Seconds()/took[layer].Seconds())
	}
}
