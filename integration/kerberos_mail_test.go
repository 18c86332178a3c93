package integration

import (
	"crypto/tls"
	"errors"
	"testing"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
	"github.com/saslkit/saslkit/kerberos/krb5"
)

// TestKerberosIMAP: Dovecot takes both mechanisms. It gets no channel binding unless
// the caller names one, and it ignores a wrong one.
func TestKerberosIMAP(t *testing.T) {
	t.Parallel()
	srv := harness.Kerberos(t)
	initiator := krb5.Keytab("alice", srv.File(t, "alice.keytab"), &krb5.Options{Config: srv.Config(t)})
	for name, row := range map[string]struct {
		mechanism sasl.Mechanism
		types     []string
		binding   string
	}{
		"GSSAPI":         {saslkerberos.GSSAPI(initiator, nil), nil, ""},
		"GSS-SPNEGO":     {saslkerberos.SPNEGO(initiator, nil), nil, ""},
		"a named type":   {saslkerberos.GSSAPI(initiator, nil), []string{endPoint}, endPoint},
		"another's type": {saslkerberos.GSSAPI(flipped(initiator), nil), []string{endPoint}, endPoint},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(name+"/"+tls.VersionName(version), func(t *testing.T) {
				conn, err := saslimap.DialStartTLS(t.Context(), srv.IMAP, &saslimap.Options{TLSConfig: srv.ClientConfig(version)})
				conn = opened(t, conn, err)
				result, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}, BindingTypes: row.types})
				if err != nil {
					t.Fatal(err)
				}
				if result.Username != "alice@KERBEROS.TEST" || result.Binding != row.binding || result.BindingUnconfirmed != (row.binding != "") {
					t.Errorf("%+v", result)
				}
				client := conn.Client(nil)
				defer client.Close()
				if _, err := client.Select("INBOX", nil).Wait(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestKerberosSMTP: Postfix with Cyrus SASL takes both mechanisms, and ignores a channel
// binding.
func TestKerberosSMTP(t *testing.T) {
	t.Parallel()
	srv := harness.Kerberos(t)
	o := &krb5.Options{Config: srv.Config(t)}
	alice := krb5.Keytab("alice", srv.File(t, "alice.keytab"), o)
	other := &saslkerberos.Options{ServicePrincipal: "ldap/elsewhere.test"}
	for name, row := range map[string]struct {
		mechanism sasl.Mechanism
		types     []string
		want      error
	}{
		"GSSAPI":          {saslkerberos.GSSAPI(alice, nil), nil, nil},
		"GSS-SPNEGO":      {saslkerberos.SPNEGO(alice, nil), nil, nil},
		"a named type":    {saslkerberos.GSSAPI(alice, nil), []string{endPoint}, nil},
		"a wrong binding": {saslkerberos.GSSAPI(flipped(alice), nil), []string{endPoint}, nil},
		"another service": {saslkerberos.GSSAPI(alice, other), nil, sasl.ErrAuthentication},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := saslsmtp.DialStartTLS(t.Context(), srv.Submission, &saslsmtp.Options{TLSConfig: srv.ClientConfig(tls.VersionTLS13)})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			result, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}, BindingTypes: row.types})
			if !errors.Is(err, row.want) || row.want == nil && result.Username != "alice@KERBEROS.TEST" {
				t.Fatalf("%+v, %v", result, err)
			}
			if row.want != nil {
				return
			}
			client := conn.Client()
			if err := client.Mail("alice@"+srv.Host, nil); err != nil {
				t.Error(err)
			}
			if err := client.Rcpt("bob@elsewhere.test", nil); err != nil { // only for a client that is logged in
				t.Error(err)
			}
		})
	}
}
