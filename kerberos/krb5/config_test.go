package krb5

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// configFiles writes files into a folder and returns the folder.
func configFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "FOLDER", folder)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestConfig(t *testing.T) {
	folder := configFiles(t, map[string]string{
		"krb5.conf": `# the form that a distribution installs
includedir FOLDER/krb5.conf.d
[logging]
    default = FILE:/var/log/krb5libs.log

[libdefaults]
    dns_canonicalize_hostname = fallback
    rdns = false
    default_realm = FIRST.TEST
    dns_lookup_kdc = no
    permitted_enctypes = aes256-cts-hmac-sha1-96 arcfour-hmac aes256-sha2
    default_tgs_enctypes = aes256-sha2, aes128-sha2

[realms]
FIRST.TEST = {
    kdc = one.first.test
    kdc = two.first.test:750
    admin_server = one.first.test
    auth_to_local_names = {
        kdc = not-a-kdc
    }
}
OTHER.TEST = {
    kdc = tcp/[::1]:88
    kdc = https://proxy.test/kdc
}

[domain_realm]
.first.test = FIRST.TEST
Special.First.Test = OTHER.TEST
other.test = OTHER.TEST
`,
		"krb5.conf.d/extra":      "[libdefaults]\n ; the first value counts\n default_realm = INCLUDED.TEST\n",
		"krb5.conf.d/ignored.in": "[broken",
	})
	c, err := readConfig(filepath.Join(folder, "krb5.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if c.defaultRealm != "INCLUDED.TEST" || c.lookupKDC {
		t.Errorf("the realm is %s, lookup %v", c.defaultRealm, c.lookupKDC)
	}
	if !slices.Equal(c.ticketTypes, []int32{18, 20}) || !slices.Equal(c.serviceTypes, []int32{20}) {
		t.Errorf("the types are %d and %d", c.ticketTypes, c.serviceTypes)
	}
	for realm, want := range map[string][]string{
		"FIRST.TEST": {"one.first.test:88", "two.first.test:750"}, "OTHER.TEST": {"[::1]:88"},
	} {
		l := &login{config: c}
		if got, err := l.findKDCs(t.Context(), realm); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", realm, got, err)
		}
	}
	for host, want := range map[string]string{
		"a.b.FIRST.test": "FIRST.TEST", "special.first.test": "OTHER.TEST", "host.other.test": "OTHER.TEST", "first.test": "", "else": "",
	} {
		if got := c.realmOf(host); got != want {
			t.Errorf("%s is in %q, want %q", host, got, want)
		}
	}
}

func TestConfigDefaults(t *testing.T) {
	folder := configFiles(t, map[string]string{"a": "", "b": "[libdefaults]\ndefault_realm = B.TEST\n"})
	t.Setenv("KRB5_CONFIG", filepath.Join(folder, "a")+string(filepath.ListSeparator)+filepath.Join(folder, "b"))
	c, err := readConfig("")
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32{20, 19, 18, 17}; !c.lookupKDC || c.defaultRealm != "B.TEST" || !slices.Equal(c.ticketTypes, want) || !slices.Equal(c.serviceTypes, want) {
		t.Errorf("%+v", c)
	}
}

// TestMissingConfig: without a krb5.conf the DNS has the KDCs. A file that the caller
// names must exist.
func TestMissingConfig(t *testing.T) {
	earlier := defaultConfig
	defer func() { defaultConfig = earlier }()
	defaultConfig = filepath.Join(t.TempDir(), "krb5.conf")
	t.Setenv("KRB5_CONFIG", "")
	if c, err := readConfig(""); err != nil || !c.lookupKDC || !slices.Equal(c.ticketTypes, []int32{20, 19, 18, 17}) {
		t.Errorf("%+v, %v", c, err)
	}
	t.Setenv("KRB5_CONFIG", defaultConfig)
	if _, err := readConfig(""); !errors.Is(err, sasl.ErrConfig) {
		t.Error(err)
	}
}

func TestConfigErrors(t *testing.T) {
	for text, want := range map[string]string{
		"[libdefaults":                                    "a section without ] (",
		"[realms]\nA = {\n}\n}":                           "a } without a { (",
		"[libdefaults]\nnonsense":                         "neither a section nor a setting (",
		"include FOLDER/krb5.conf":                        "includes more than 100 files",
		"include FOLDER/missing":                          "no such file",
		"[libdefaults]\npermitted_enctypes = rc4-hmac":    "permits no AES",
		"[libdefaults]\ndefault_tgs_enctypes = des3-hmac": "permits no AES",
	} {
		folder := configFiles(t, map[string]string{"krb5.conf": text})
		err := soon(func() error { _, err := readConfig(filepath.Join(folder, "krb5.conf")); return err })
		if !errors.Is(err, sasl.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add("[libdefaults]\ndefault_realm = A\n[realms]\nA = {\nkdc = b\n}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "include") {
			return // of files of this machine
		}
		path := filepath.Join(t.TempDir(), "krb5.conf")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readConfig(path); err != nil && !errors.Is(err, sasl.ErrConfig) {
			t.Error(err)
		}
	})
}
