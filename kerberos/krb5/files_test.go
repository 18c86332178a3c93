package krb5

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// testdata/service.ccache is a cache of MIT kinit -S ldap/kerberos.test, and
// testdata/alice.keytab a keytab of MIT kadmin.local ktadd.

func read(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestCache(t *testing.T) {
	c, err := readCache("FILE:testdata/service.ccache")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.principal.String(); got != "alice@KERBEROS.TEST" {
		t.Errorf("the principal is %s", got)
	}
	found := 0
	for _, ticket := range c.tickets {
		if ticket.service.realm == "X-CACHECONF:" {
			continue
		}
		found++
		lifetime := ticket.end.Sub(ticket.start).Hours()
		if ticket.service.String() != "ldap/kerberos.test@KERBEROS.TEST" || ticket.key.etype != 18 || len(ticket.key.octets()) != 32 || lifetime != 24 {
			t.Errorf("the ticket is for %s, type %d, %v hours", ticket.service, ticket.key.etype, lifetime)
		}
	}
	if found != 1 {
		t.Errorf("%d tickets", found)
	}
}

func TestKeytab(t *testing.T) {
	keys, err := readKeytab("testdata/alice.keytab")
	if err != nil {
		t.Fatal(err)
	}
	var types []int32
	for _, entry := range keys {
		if entry.principal.String() != "alice@KERBEROS.TEST" || entry.version != 1 || len(entry.key.octets()) != keySize(entry.key.etype) {
			t.Errorf("%s, version %d, type %d", entry.principal, entry.version, entry.key.etype)
		}
		types = append(types, entry.key.etype)
	}
	if len(types) != 4 || types[0] != 20 || types[1] != 19 || types[2] != 18 || types[3] != 17 {
		t.Errorf("the types are %d", types)
	}
}

// TestTruncatedFiles: every beginning of a file is refused, unless the beginning
// ends between two entries.
func TestTruncatedFiles(t *testing.T) {
	content := read(t, "service.ccache")
	whole := 0
	for n := range content {
		if _, ok := parseCache(content[:n]); ok {
			whole++
		}
	}
	full, _ := parseCache(content)
	if whole != len(full.tickets) {
		t.Errorf("the cache has %d valid beginnings, want %d", whole, len(full.tickets))
	}
	content, whole = read(t, "alice.keytab"), 0
	for n := range content {
		if _, ok := parseKeytab(content[:n]); ok {
			whole++
		}
	}
	if whole != 4 { // none to three of the four keys
		t.Errorf("the keytab has %d valid beginnings", whole)
	}
}

// soon returns the error of f, or an error if f does not return.
func soon(f func() error) error {
	outcome := make(chan error, 1)
	go func() { outcome <- f() }()
	select {
	case err := <-outcome:
		return err
	case <-time.After(5 * time.Second):
		return errors.New("it does not return")
	}
}

// TestHostileFiles: lengths and counts of files that are not there.
func TestHostileFiles(t *testing.T) {
	name := "\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01R\x00\x00\x00\x01a"
	ticket := name + name + "\x00\x12\x00\x00\x00\x00" + strings.Repeat("\x00", 21)
	for what, content := range map[string]string{
		"empty":          "",
		"version 1":      "\x05\x01",
		"components":     "\x05\x04\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff\x00\x00\x00\x01R",
		"length":         "\x05\x04\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\xff\xff\xff\xff",
		"no principal":   "\x05\x04\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01R",
		"addresses":      "\x05\x04\x00\x00" + name + ticket + "\xff\xff\xff\xff",
		"authorizations": "\x05\x04\x00\x00" + name + ticket + "\x00\x00\x00\x00\xff\xff\xff\xff",
	} {
		path := filepath.Join(t.TempDir(), "cache")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := soon(func() error { _, err := readCache(path); return err }); !errors.Is(err, sasl.ErrConfig) || !strings.Contains(err.Error(), "malformed or truncated") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, content := range map[string]string{
		"empty":      "",
		"version 1":  "\x05\x01",
		"length":     "\x05\x02\x7f\xff\xff\xff",
		"hole":       "\x05\x02\x80\x00\x00\x00",
		"components": "\x05\x02\x00\x00\x00\x04\xff\xff\x00\x00",
	} {
		if _, ok := parseKeytab([]byte(content)); ok {
			t.Errorf("the keytab %q is accepted", what)
		}
	}
}

// TestCacheTickets: only a ticket of the cache's principal, for the service and its
// realm, is used. A name whose one component contains a slash is not the name with two
// components.
func TestCacheTickets(t *testing.T) {
	l := (&kdc{}).login(t)
	bob := principal{[]string{"bob"}, "R.TEST"}
	granting, service := grantingService("R.TEST", "R.TEST"), principal{[]string{"ldap", "dc.test"}, "R.TEST"}
	l.request.Service = service.String()
	for name, row := range map[string]struct {
		client, service principal
		want            error // nil = the ticket is used
	}{
		"right":                      {l.client, service, nil},
		"granting":                   {l.client, granting, nil},
		"of another":                 {bob, service, sasl.ErrAuthentication},
		"of another, granting":       {bob, granting, sasl.ErrAuthentication},
		"another realm":              {l.client, principal{service.name, "OTHER.TEST"}, sasl.ErrAuthentication},
		"another realm's, granting":  {l.client, grantingService("OTHER.TEST", "R.TEST"), sasl.ErrAuthentication},
		"one component":              {l.client, principal{[]string{"ldap/dc.test"}, "R.TEST"}, sasl.ErrAuthentication},
		"one component, granting":    {l.client, principal{[]string{"krbtgt/R.TEST"}, "R.TEST"}, sasl.ErrAuthentication},
		"a realm in the name":        {l.client, principal{[]string{"ldap", "dc.test@R.TEST"}, ""}, sasl.ErrAuthentication},
		"the name of another client": {principal{[]string{"alice@R.TEST"}, ""}, service, sasl.ErrAuthentication},
	} {
		c := read(t, "service.ccache")
		encoded, _ := parseCache(c)
		found := encoded.tickets[len(encoded.tickets)-1]
		found.client, found.service, found.key = row.client, row.service, sessionKey
		found.start, found.end = time.Now(), time.Now().Add(time.Hour)
		context, err := l.withCache(t.Context(), &cache{principal: l.client, tickets: []ticket{found}})
		if !errors.Is(err, row.want) || (context != nil) != (row.want == nil) {
			t.Errorf("%s: %v, %v", name, context, err)
		}
	}
}

func TestLargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keytab")
	if err := os.WriteFile(path, append([]byte("\x05\x02"), make([]byte, 1<<20)...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readKeytab(path); !errors.Is(err, sasl.ErrConfig) || !strings.Contains(err.Error(), "over 1 MiB") {
		t.Error(err)
	}
}

func TestCacheType(t *testing.T) {
	t.Setenv("KRB5CCNAME", "KEYRING:persistent:1000")
	_, err := readCache("")
	if !errors.Is(err, sasl.ErrConfig) || !strings.Contains(err.Error(), "of the type KEYRING, and only FILE can be read") {
		t.Error(err)
	}
	t.Setenv("KRB5CCNAME", "FILE:testdata/service.ccache")
	if c, err := readCache(""); err != nil || c.path != "testdata/service.ccache" {
		t.Errorf("%+v, %v", c, err)
	}
}

func FuzzFiles(f *testing.F) {
	f.Add(read(f, "service.ccache"))
	f.Add(read(f, "alice.keytab"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if c, ok := parseCache(content); ok && len(c.principal.name) == 0 {
			t.Error("a cache without a principal")
		}
		if keys, ok := parseKeytab(content); ok && 20*len(keys) > len(content) {
			t.Errorf("%d keys in %d octets", len(keys), len(content))
		}
	})
}
