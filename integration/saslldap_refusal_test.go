package integration

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// TestSASLLDAPRefusals: each refusal has its class and its result code, leaves
// the connection in sync, and the right password follows on it.
func TestSASLLDAPRefusals(t *testing.T) {
	t.Parallel()
	everyLDAPWay(t, harness.OpenLDAP, func(t *testing.T, srv *harness.LDAPServer, dial dialLDAP, version uint16) {
		wrong, unknown := sasl.Password("alice", "Secret"), sasl.Password("nobody", "secret")
		for name, row := range map[string]struct {
			m     sasl.Mechanism
			class sasl.Class
			code  uint16
		}{
			"wrong password by PLAIN":       {sasl.Plain(wrong), sasl.ErrAuthentication, ldap.LDAPResultInvalidCredentials},
			"wrong password by SCRAM":       {sasl.SCRAM(sasl.SHA256, wrong), sasl.ErrAuthentication, ldap.LDAPResultInvalidCredentials},
			"wrong password by SCRAM-PLUS":  {sasl.SCRAMPlus(sasl.SHA256, wrong), sasl.ErrAuthentication, ldap.LDAPResultInvalidCredentials},
			"unknown user by PLAIN":         {sasl.Plain(unknown), sasl.ErrAuthentication, ldap.LDAPResultOther},
			"unknown user by SCRAM":         {sasl.SCRAM(sasl.SHA256, unknown), sasl.ErrAuthentication, ldap.LDAPResultOther},
			"unknown user by SCRAM-PLUS":    {sasl.SCRAMPlus(sasl.SHA256, unknown), sasl.ErrAuthentication, ldap.LDAPResultOther},
			"authzid that may not by PLAIN": {sasl.Plain(sasl.Password("bob", "hunter2").ActingAs("u:alice")), sasl.ErrAuthorization, ldap.LDAPResultInsufficientAccessRights},
			"authzid that may not by SCRAM": {sasl.SCRAMPlus(sasl.SHA256, sasl.Password("bob", "hunter2").ActingAs(aliceDN)), sasl.ErrAuthorization, ldap.LDAPResultInsufficientAccessRights},
			"authzid of no form":            {sasl.Plain(alice.ActingAs("bob")), sasl.ErrAuthorization, ldap.LDAPResultInsufficientAccessRights},
		} {
			client := dial(srv.ClientConfig(version))
			_, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{row.m}})
			if sasl.ClassOf(err) != row.class || !isCode(err, row.code) {
				t.Errorf("%s: %v", name, err)
			}
			checkIdentity(t, client, "")
			if _, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}); err != nil {
				t.Errorf("%s, then: %v", name, err)
			}
			checkIdentity(t, client, aliceDN)
		}
		// Without a certificate EXTERNAL is not in the list.
		external := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.External("")}}
		if _, err := dial(srv.ClientConfig(version)).SASLBind(t.Context(), external); !errors.Is(err, sasl.ErrPolicy) {
			t.Errorf("EXTERNAL: %v", err)
		}
	})
}

func isCode(err error, code uint16) bool {
	var own *ldap.Error
	return errors.As(err, &own) && ldap.IsErrorWithCode(own, code)
}

// TestSASLLDAPAbort: the client ends an exchange, here because the password
// cannot be had, and the next one succeeds on the same connection.
func TestSASLLDAPAbort(t *testing.T) {
	t.Parallel()
	everyLDAPWay(t, harness.OpenLDAP, func(t *testing.T, srv *harness.LDAPServer, dial dialLDAP, version uint16) {
		client := dial(srv.ClientConfig(version))
		for range 3 {
			_, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(lockedKeyring)})
			if !errors.Is(err, sasl.ErrConfig) || !errors.Is(err, errLocked) {
				t.Fatal(err)
			}
			checkIdentity(t, client, "")
		}
		if _, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}); err != nil {
			t.Fatal(err)
		}
		checkIdentity(t, client, aliceDN)
	})
}

// TestSASLLDAPRebind: the server binds to the channel once. A client that
// demands another binding is refused before anything is sent, and may use another
// connection.
func TestSASLLDAPRebind(t *testing.T) {
	t.Parallel()
	everyLDAPWay(t, harness.OpenLDAP, func(t *testing.T, srv *harness.LDAPServer, dial dialLDAP, version uint16) {
		client := dial(srv.ClientConfig(version))
		auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}
		// The library's own bind does not count, nor one that is refused.
		if err := client.Bind(strings.TrimPrefix(bobDN, "dn:"), "hunter2"); err != nil {
			t.Error(err)
		}
		if _, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "wrong"))}); !errors.Is(err, sasl.ErrAuthentication) {
			t.Error(err)
		}
		for _, want := range []string{"SCRAM-SHA-512-PLUS", "SCRAM-SHA-512"} {
			if result, err := client.SASLBind(t.Context(), auth); err != nil || result.Mechanism != want {
				t.Errorf("%+v, %v, want %s", result, err, want)
			}
			checkIdentity(t, client, aliceDN)
		}
		required := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Binding: sasl.RequireBinding}
		if _, err := client.SASLBind(t.Context(), required); !errors.Is(err, sasl.ErrPolicy) {
			t.Errorf("required: %v", err)
		}
		checkIdentity(t, client, aliceDN)
	})
}

// TestSASLLDAPUnderLoad: one user after the other on a connection on which
// eight goroutines search. Each of their answers is the right one.
func TestSASLLDAPUnderLoad(t *testing.T) {
	t.Parallel()
	everyLDAPWay(t, harness.OpenLDAP, func(t *testing.T, srv *harness.LDAPServer, dial dialLDAP, version uint16) {
		client := dial(srv.ClientConfig(version))
		stop := make(chan struct{})
		var searchers sync.WaitGroup
		for i := range 8 {
			uid, cn := "alice", "Alice"
			if i%2 == 1 {
				uid, cn = "bob", "Bob"
			}
			searchers.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						if n == 0 {
							t.Error("no search at all")
						}
						return
					default:
					}
					found, err := client.Search(ldap.NewSearchRequest("dc=test", ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, fmt.Sprintf("(uid=%s)", uid), []string{"cn"}, nil))
					if err != nil || len(found.Entries) != 1 || found.Entries[0].GetAttributeValue("cn") != cn {
						t.Errorf("search for %s: %+v, %v", uid, found, err)
						return
					}
				}
			})
		}
		bob := sasl.Password("bob", "hunter2")
		for range 10 {
			rebind(t, client, alice, aliceDN)
			rebind(t, client, bob, bobDN)
			wrong := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "wrong"))}
			if _, err := client.SASLBind(t.Context(), wrong); !errors.Is(err, sasl.ErrAuthentication) {
				t.Errorf("wrong password: %v", err)
			}
			// The library's own bind too.
			if err := client.Bind(strings.TrimPrefix(bobDN, "dn:"), "hunter2"); err != nil {
				t.Errorf("simple bind: %v", err)
			}
		}
		close(stop)
		searchers.Wait()
	})
}

func rebind(t *testing.T, client *saslldap.Client, credentials sasl.Credentials, want string) {
	t.Helper()
	if _, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}); err != nil {
		t.Errorf("%s: %v", want, err)
	}
	if who, err := client.WhoAmI(nil); err != nil || who.AuthzID != want {
		t.Errorf("who am I: %+v, %v, want %s", who, err, want)
	}
}

// TestSASLLDAPBare shows that the error for a connection of the library, which cannot
// be extended, says what to do.
func TestSASLLDAPBare(t *testing.T) {
	t.Parallel()
	srv := harness.OpenLDAP(t)
	bare, err := ldap.DialURL("ldaps://"+srv.LDAPS, ldap.DialWithTLSConfig(srv.ClientConfig(tls.VersionTLS13)))
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	_, err = saslldap.SASLBind(t.Context(), bare, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
	if !errors.Is(err, sasl.ErrConfig) || !strings.Contains(err.Error(), "saslldap.DialURL") || !strings.Contains(err.Error(), "saslldap.NewConn") {
		t.Error(err)
	}
}
