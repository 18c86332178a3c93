package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// attackedLDAP returns a way to dial a server behind a man in the middle, whose
// certificate is of an authority that the client trusts, or is not.
func attackedLDAP(t *testing.T, srv *harness.LDAPServer, scheme string, version uint16, pki *harness.PKI, fromServer func(string, bool) string) func(context.Context) (*saslldap.Client, error) {
	t.Helper()
	address := harness.MITM{
		Server: map[string]string{"ldap": srv.LDAP, "ldaps": srv.LDAPS}[scheme], Upstream: srv.ClientConfig(version),
		Cert: pki.ServerCert(srv.Host), Implicit: scheme == "ldaps", LDAP: true, FromServer: fromServer,
	}.Start(t)
	return func(ctx context.Context) (*saslldap.Client, error) {
		client, err := saslldap.DialURL(ctx, scheme+"://"+srv.Host, &saslldap.Options{TLSConfig: srv.ClientConfig(version), Address: address})
		if err == nil {
			t.Cleanup(func() { client.Close() })
		}
		return client, err
	}
}

// throughLDAPMITM runs a test over both kinds and both versions of TLS, with
// the man in the middle.
func throughLDAPMITM(t *testing.T, fromServer func(string, bool) string, test func(t *testing.T, dial func() *saslldap.Client)) {
	for _, scheme := range []string{"ldap", "ldaps"} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(scheme+"/"+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				srv := harness.OpenLDAP(t)
				dial := attackedLDAP(t, srv, scheme, version, srv.PKI, fromServer)
				test(t, func() *saslldap.Client {
					client, err := dial(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					return client
				})
			})
		}
	}
}

// TestSASLLDAPManInTheMiddle: somebody has a certificate that the client
// trusts. Without a binding the client cannot tell; bound, it does not get in.
func TestSASLLDAPManInTheMiddle(t *testing.T) {
	t.Parallel()
	throughLDAPMITM(t, nil, func(t *testing.T, dial func() *saslldap.Client) {
		unbound := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Binding: sasl.DisableBinding}
		client := dial()
		if _, err := client.SASLBind(t.Context(), unbound); err != nil {
			t.Errorf("not bound: %v", err)
		}
		checkIdentity(t, client, aliceDN)
		_, err := dial().SASLBind(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
		if !errors.Is(err, sasl.ErrSecurity) || hints(err) != "binding" {
			t.Errorf("bound: %v", err)
		}
	})
}

// withoutLDAPPlus gives what binds another name in the list.
func withoutLDAPPlus(message string, _ bool) string {
	return strings.ReplaceAll(message, "-PLUS", "-NONE")
}

// TestSASLLDAPStripped: somebody whose certificate the client trusts takes what
// binds out of the root DSE. The "y" flag tells the server, which refuses; a
// client that requires a binding sends nothing.
func TestSASLLDAPStripped(t *testing.T) {
	t.Parallel()
	throughLDAPMITM(t, withoutLDAPPlus, func(t *testing.T, dial func() *saslldap.Client) {
		client := dial()
		required := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Binding: sasl.RequireBinding}
		if _, err := client.SASLBind(t.Context(), required); !errors.Is(err, sasl.ErrPolicy) || !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("required: %v", err)
		}
		_, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
		if !errors.Is(err, sasl.ErrAuthentication) || hints(err) != "password proxy" {
			t.Errorf("preferred: %v", err)
		}
	})
}

// TestSASLLDAPStrippedOnce: the list that was changed before the bind is read
// again after it.
func TestSASLLDAPStrippedOnce(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"ldap", "ldaps"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			srv := harness.OpenLDAP(t)
			var changed atomic.Bool
			dial := attackedLDAP(t, srv, scheme, tls.VersionTLS13, srv.PKI, func(message string, _ bool) string {
				if strings.Contains(message, "SCRAM-SHA-512") && changed.CompareAndSwap(false, true) {
					return strings.ReplaceAll(message, "SCRAM-SHA-", "OTHER-ONE-")
				}
				return message
			})
			client, err := dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Binding: sasl.DisableBinding}
			if _, err := client.SASLBind(t.Context(), auth); !errors.Is(err, sasl.ErrSecurity) || !strings.Contains(err.Error(), "SCRAM-SHA-512") {
				t.Error(err)
			}
			if _, err := client.WhoAmI(nil); err == nil {
				t.Error("the connection is open")
			}
		})
	}
}

// TestSASLLDAPUntrusted: a certificate that the client does not trust.
func TestSASLLDAPUntrusted(t *testing.T) {
	t.Parallel()
	srv := harness.OpenLDAP(t)
	for _, scheme := range []string{"ldap", "ldaps"} {
		dial := attackedLDAP(t, srv, scheme, tls.VersionTLS13, harness.NewPKI(), nil)
		if _, err := dial(t.Context()); !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

// TestSASLLDAPStartTLSInjection: what somebody puts behind the answer to
// StartTLS is not taken for the server's.
func TestSASLLDAPStartTLSInjection(t *testing.T) {
	t.Parallel()
	srv := harness.OpenLDAP(t)
	for name, injected := range map[string]string{
		"a bind response": "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
		"a single octet":  "\x30",
	} {
		dial := attackedLDAP(t, srv, "ldap", tls.VersionTLS13, srv.PKI, func(message string, secured bool) string {
			if secured {
				return message
			}
			return message + injected
		})
		if _, err := dial(t.Context()); !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refuse := attackedLDAP(t, srv, "ldap", tls.VersionTLS13, srv.PKI, func(string, bool) string {
		return "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00"
	})
	if _, err := refuse(t.Context()); !errors.Is(err, sasl.ErrSecurity) {
		t.Errorf("refused: %v", err)
	}
}

// TestSASLLDAPInsecure: without TLS nothing of a password is sent, although the
// server would take it.
func TestSASLLDAPInsecure(t *testing.T) {
	t.Parallel()
	srv := harness.OpenLDAP(t)
	client := openLDAP(t, "ldap://"+srv.Host, &saslldap.Options{NoStartTLS: true, Address: srv.LDAP})
	if _, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}); !errors.Is(err, sasl.ErrPolicy) {
		t.Errorf("a password: %v", err)
	}
	if _, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Anonymous("sirhc")}}); err != nil {
		t.Errorf("ANONYMOUS: %v", err)
	}
	named := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Allow: sasl.AllowInsecure("SCRAM-SHA-256")}
	if result, err := client.SASLBind(t.Context(), named); err != nil || result.Mechanism != "SCRAM-SHA-256" {
		t.Errorf("what is named: %+v, %v", result, err)
	}
	checkIdentity(t, client, aliceDN)
}

// TestSASLLDAPCancel: the context ends while an answer of the server is held
// back, each of them in turn, from StartTLS to the list after the bind.
func TestSASLLDAPCancel(t *testing.T) {
	t.Parallel()
	for held, name := range []string{"StartTLS", "root DSE", "end of root DSE", "server-first", "server-final", "root DSE again", "end of root DSE again"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := harness.OpenLDAP(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			messages := 0
			dial := attackedLDAP(t, srv, "ldap", tls.VersionTLS13, srv.PKI, func(message string, _ bool) string {
				messages++
				if messages == held+1 {
					time.AfterFunc(10*time.Millisecond, cancel)
				}
				if messages > held {
					return ""
				}
				return message
			})
			begin := time.Now()
			client, err := dial(ctx)
			if err == nil {
				_, err = client.SASLBind(ctx, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Binding: sasl.DisableBinding})
			}
			checkCancelled(t, begin, err)
		})
	}
}
