package integration

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saslkit/saslkit/integration/internal/harness"
)

// TestCommandWithKerberos: the flags of Kerberos, security layers and --count.
func TestCommandWithKerberos(t *testing.T) {
	t.Parallel()
	mit, ad := harness.Kerberos(t), harness.Samba(t)
	config, adConfig := mit.Config(t), ad.Config(t)
	ccache, keytab := mit.File(t, "alice.ccache"), mit.File(t, "alice.keytab")
	for name, row := range map[string]struct {
		srv  harness.Named
		args []string
		code int
		text string
	}{
		"password": {mit.Named, []string{"--krb5-config", config, "--mechanism", "GSSAPI", "--connect", mit.LDAP, "ldap://alice@kerberos.test"}, 0,
			"authenticated as alice@KERBEROS.TEST (dn:uid=alice,ou=people,dc=test) with GSSAPI, bound to tls-server-end-point, unconfirmed, in 3 round trips"},
		"cache": {mit.Named, []string{"--krb5-config", config, "--ccache", ccache, "--connect", mit.LDAPS, "ldaps://kerberos.test"}, 0,
			"with GSSAPI-PLUS, bound to tls-server-end-point, in 3 round trips"},
		"keytab and identity": {mit.Named, []string{"--krb5-config", config, "--keytab", keytab, "--authzid", "u:bob", "--connect", mit.LDAP, "ldap://kerberos.test"}, 0,
			"authenticated as alice@KERBEROS.TEST (dn:uid=bob,ou=people,dc=test) with GSSAPI-PLUS"},
		"principal": {mit.Named, []string{"--krb5-config", config, "--principal", "alice@KERBEROS.TEST", "--mechanism", "GSS-SPNEGO", "--connect", mit.IMAP, "imap://kerberos.test"}, 0,
			"authenticated as alice@KERBEROS.TEST with GSS-SPNEGO, not bound to the channel"},
		"layer and count": {mit.Named, []string{"--krb5-config", config, "--keytab", keytab, "--no-starttls", "--count", "ou=people,dc=test", "--connect", mit.LDAP, "ldap://kerberos.test"}, 0,
			"with GSSAPI, not bound to the channel, with a security layer (confidentiality), in 3 round trips"},
		"counted": {mit.Named, []string{"--krb5-config", config, "--keytab", keytab, "--no-starttls", "--count", "ou=people,dc=test", "--connect", mit.LDAP, "ldap://kerberos.test"}, 0,
			"entries: 3\n"},
		"another service": {mit.Named, []string{"--krb5-config", config, "--keytab", keytab, "--service-principal", "ldap/elsewhere.test", "--connect", mit.LDAP, "ldap://kerberos.test"}, 1,
			"check --service-principal and the server's keytab"},
		"Active Directory": {ad.Named, []string{"--krb5-config", adConfig, "--mechanism", "GSSAPI", "--principal", "alice@AD.TEST", "--server-enforces-binding", "--channel-binding", "require", "--connect", ad.LDAP, "ldap://dc.ad.test"}, 0,
			`authenticated as alice@AD.TEST (u:ADT\alice) with GSSAPI, bound to tls-server-end-point`},
		"Active Directory, layer": {ad.Named, []string{"--krb5-config", adConfig, "--mechanism", "GSS-SPNEGO", "--principal", "alice@AD.TEST", "--no-starttls", "--connect", ad.LDAP, "ldap://dc.ad.test"}, 0,
			`with GSS-SPNEGO, not bound to the channel, with a security layer (confidentiality)`},
		"Active Directory, no layer": {ad.Named, []string{"--krb5-config", adConfig, "--mechanism", "GSSAPI", "--principal", "alice@AD.TEST", "--no-starttls", "--layer", "none", "--allow-insecure", "GSSAPI", "--connect", ad.LDAP, "ldap://dc.ad.test"}, 5,
			"--layer chooses the layer"},
		"two kinds of credentials": {mit.Named, []string{"--ccache", ccache, "--keytab", keytab, "--connect", mit.LDAP, "ldap://kerberos.test"}, 2,
			"omit --keytab and --principal"},
		"a layer in IMAP":            {mit.Named, []string{"--layer", "integrity", "--connect", mit.IMAP, "imap://alice@kerberos.test"}, 2, "for LDAP only"},
		"an unknown layer":           {mit.Named, []string{"--layer", "strong", "--connect", mit.LDAP, "ldap://alice@kerberos.test"}, 2, "use none, integrity or confidentiality"},
		"a base that does not exist": {mit.Named, []string{"--krb5-config", config, "--keytab", keytab, "--count", "ou=nothing,dc=test", "--connect", mit.LDAP, "ldap://kerberos.test"}, 2, "--count: "},
	} {
		t.Run(name, func(t *testing.T) {
			ca := filepath.Join(t.TempDir(), "authority.pem")
			if err := os.WriteFile(ca, row.srv.PKI.RootPEM(), 0o600); err != nil {
				t.Fatal(err)
			}
			var output bytes.Buffer
			code := saslkit(t, row.srv, &output, &output, "secret", append([]string{"auth", "--ca-file", ca}, row.args...)...)
			if code != row.code || !strings.Contains(output.String(), row.text) {
				t.Errorf("exit code %d, printed\n%s", code, output.String())
			}
		})
	}
}
