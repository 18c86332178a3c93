package saslldap_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestBindRequest: the octets of RFC 4511 s4.2, with absent, empty and other
// credentials.
func TestBindRequest(t *testing.T) {
	for credentials, want := range map[string]string{
		"none":  "\x30\x16\x02\x04\x40\x00\x00\x00\x60\x0e\x02\x01\x03\x04\x00\xa3\x07\x04\x05PLAIN",
		"empty": "\x30\x18\x02\x04\x40\x00\x00\x00\x60\x10\x02\x01\x03\x04\x00\xa3\x09\x04\x05PLAIN\x04\x00",
		"some":  "\x30\x1c\x02\x04\x40\x00\x00\x00\x60\x14\x02\x01\x03\x04\x00\xa3\x0d\x04\x05PLAIN\x04\x04\x00a\x00b",
	} {
		client, w := pair(t)
		first := sasltest.Line{Op: sasltest.ClientSends, Data: map[string][]byte{"empty": {}, "some": []byte("\x00a\x00b")}[credentials]}
		transcript := &sasltest.Transcript{Name: credentials, MechanismName: "PLAIN", Expect: sasltest.Success, Lines: []sasltest.Line{first, {Op: sasltest.Succeed}}}
		auth := &sasl.Client{Mechanisms: []sasl.Mechanism{transcript.Mechanism()}, Allow: plain.Allow}
		bound := later(func() error { _, err := client.SASLBind(t.Context(), auth); return err })
		if err := w.answerRootDSE(); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(w.reader, got); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", credentials, got, err, want)
		}
		w.id = ownID
		if err := w.Succeed(nil); err != nil {
			t.Fatal(err)
		}
		check(t, credentials, bound)
	}
}

// TestRoundTrips: one a bind request.
func TestRoundTrips(t *testing.T) {
	client, w := pair(t)
	done := later(func() error {
		result, err := client.SASLBind(t.Context(), plain)
		if err == nil && result.RoundTrips != 1 {
			t.Errorf("%+v", result)
		}
		return err
	})
	if err := w.answerRootDSE(); err != nil {
		t.Fatal(err)
	}
	w.serveBind(t)
	check(t, "PLAIN", done)
	if w.binds != 1 {
		t.Errorf("%d bind requests", w.binds)
	}
}

// TestConditions: result codes, and the numbers that Active Directory puts into
// the text.
func TestConditions(t *testing.T) {
	const active = "80090308: LdapErr: DSID-0C090400, comment: AcceptSecurityContext error, data "
	for _, row := range []struct {
		code      int64
		text      string
		class     sasl.Class
		condition sasl.Condition
	}{
		{ldap.LDAPResultInvalidCredentials, "no", sasl.ErrAuthentication, sasl.NotAuthorized},
		{ldap.LDAPResultInvalidCredentials, active + "52e, v1db1", sasl.ErrAuthentication, sasl.NotAuthorized},
		{ldap.LDAPResultInvalidCredentials, active + "525, v1db1", sasl.ErrAuthentication, sasl.NotAuthorized},
		{ldap.LDAPResultInvalidCredentials, active + "530, v1db1", sasl.ErrAuthorization, sasl.AccountDisabled},
		{ldap.LDAPResultInvalidCredentials, active + "532, v1db1", sasl.ErrAuthentication, sasl.CredentialsExpired},
		{ldap.LDAPResultInvalidCredentials, active + "533, v1db1\x00", sasl.ErrAuthorization, sasl.AccountDisabled},
		{ldap.LDAPResultInvalidCredentials, active + "701, v1db1", sasl.ErrAuthorization, sasl.AccountDisabled},
		{ldap.LDAPResultInvalidCredentials, active + "773, v1db1", sasl.ErrAuthentication, sasl.CredentialsExpired},
		{ldap.LDAPResultInvalidCredentials, active + "775, v1db1", sasl.ErrAuthorization, sasl.AccountDisabled},
		{ldap.LDAPResultInvalidCredentials, "the data 533, it says", sasl.ErrAuthentication, sasl.NotAuthorized},
		{ldap.LDAPResultInappropriateAuthentication, "", sasl.ErrPolicy, sasl.MechanismTooWeak},
		{ldap.LDAPResultAuthMethodNotSupported, "", sasl.ErrPolicy, sasl.InvalidMechanism},
		{ldap.LDAPResultStrongAuthRequired, "", sasl.ErrPolicy, sasl.MechanismTooWeak},
		{ldap.LDAPResultConfidentialityRequired, "", sasl.ErrPolicy, sasl.EncryptionRequired},
		{ldap.LDAPResultInsufficientAccessRights, "", sasl.ErrAuthorization, sasl.InvalidAuthzid},
		{ldap.LDAPResultAuthorizationDenied, "", sasl.ErrAuthorization, sasl.InvalidAuthzid},
		{ldap.LDAPResultBusy, "", sasl.ErrTemporary, sasl.TemporaryAuthFailure},
		{ldap.LDAPResultUnavailable, "", sasl.ErrTemporary, sasl.TemporaryAuthFailure},
		{ldap.LDAPResultTimeLimitExceeded, "", sasl.ErrTemporary, sasl.TemporaryAuthFailure},
		{ldap.LDAPResultProtocolError, "", sasl.ErrProtocol, sasl.MalformedRequest},
		{ldap.LDAPResultOther, "", sasl.ErrAuthentication, sasl.NotAuthorized},
		{ldap.LDAPResultNoSuchObject, "", sasl.ErrAuthentication, sasl.NotAuthorized},
	} {
		client, w := pair(t)
		bound := saslBind(client, t.Context())
		if err := w.answerRootDSE(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.bind(); err != nil {
			t.Fatal(err)
		}
		if err := w.send(result(tagBindResponse, row.code, row.text, nil)); err != nil {
			t.Fatal(err)
		}
		err := <-bound
		var (
			failure *sasl.Failure
			own     *ldap.Error
		)
		if sasl.ClassOf(err) != row.class || !errors.As(err, &failure) || failure.Condition != row.condition || failure.Text != row.text {
			t.Errorf("%d %q: %v", row.code, row.text, err)
		}
		if !errors.As(err, &own) || !ldap.IsErrorWithCode(own, uint16(row.code)) {
			t.Errorf("%d: the library's error is lost in %v", row.code, err)
		}
	}
}

// TestBindingForms: OpenLDAP's by itself where the root DSE names it, and in
// the second bind none; else the standard's.
func TestBindingForms(t *testing.T) {
	for name, row := range map[string]struct {
		class string
		form  saslldap.BindingForm
		want  string
	}{
		"OpenLDAP":          {"OpenLDAProotDSE", saslldap.AutomaticBinding, "p=ldap,,"},
		"another server":    {"top", saslldap.AutomaticBinding, "p=tls-exporter,,"},
		"OpenLDAP by name":  {"top", saslldap.OpenLDAPBinding, "p=ldap,,"},
		"standard, by name": {"OpenLDAProotDSE", saslldap.StandardBinding, "p=tls-exporter,,"},
	} {
		certificate, pool := sasltest.Certificate(t, host)
		near, far := connect(t)
		w := newWire(tls.Server(far, &tls.Config{Certificates: []tls.Certificate{certificate}}))
		w.list = "SCRAM-SHA-256-PLUS"
		served := later(func() error {
			if err := w.answerRootDSE(row.class); err != nil {
				return err
			}
			_, initial, err := w.bind()
			if !strings.HasPrefix(string(initial), row.want) {
				t.Errorf("%s: %q, %v, want %q", name, initial, err, row.want)
			}
			return errors.Join(err, w.Refuse(sasl.NotAuthorized))
		})
		client, err := saslldap.NewConn(t.Context(), tls.Client(near, &tls.Config{RootCAs: pool, ServerName: host}), host, &saslldap.Options{Binding: row.form})
		if err != nil {
			t.Fatal(err)
		}
		auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAMPlus(sasl.SHA256, sasl.Password("a", "b"))}}
		if _, err := client.SASLBind(t.Context(), auth); !errors.Is(err, sasl.ErrAuthentication) {
			t.Errorf("%s: %v", name, err)
		}
		check(t, name, served)
		if state, ok := client.TLSConnectionState(); !ok || !state.HandshakeComplete {
			t.Errorf("%s: the TLS state is lost", name)
		}
		client.Close()
	}
}

// TestURLs: what can be dialled and what cannot.
func TestURLs(t *testing.T) {
	for url, class := range map[string]sasl.Class{
		"":                             sasl.ErrConfig,
		"ldap.example.org":             sasl.ErrConfig,
		"http://ldap.example.org":      sasl.ErrConfig,
		"ldap://":                      sasl.ErrConfig,
		"ldapi://%zz":                  sasl.ErrConfig,
		"ldapi://%2Fno%2Fsuch%2Fplace": sasl.ErrConnection,
		"ldap://127.0.0.1:1":           sasl.ErrConnection,
		"ldaps://127.0.0.1:1":          sasl.ErrConnection,
	} {
		if _, err := saslldap.DialURL(t.Context(), url, nil); sasl.ClassOf(err) != class {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// TestSocket: a Unix socket is Secure, so that PLAIN may be used.
func TestSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ldapi")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	served := later(func() error {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		defer conn.Close()
		w := newWire(conn)
		w.list = "PLAIN"
		if err := w.answerRootDSE(); err != nil {
			return err
		}
		if _, _, err := w.bind(); err != nil {
			return err
		}
		return w.Succeed(nil)
	})
	client, err := saslldap.DialURL(t.Context(), "ldapi://"+strings.ReplaceAll(path, "/", "%2F"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("a", "b"))}}
	if result, err := client.SASLBind(t.Context(), auth); err != nil || result.Username != "a" {
		t.Errorf("%+v, %v", result, err)
	}
	check(t, "the server", served)
}

// TestStartTLSAnswers: what else a server may say to StartTLS.
func TestStartTLSAnswers(t *testing.T) {
	for name, row := range map[string]struct {
		answer string
		class  sasl.Class
	}{
		"refused":     {string(message(1, result(tagExtended, 2, "no", nil))), sasl.ErrSecurity},
		"unavailable": {string(message(1, result(tagExtended, 52, "later", nil))), sasl.ErrTemporary},
		"another ID":  {string(message(2, result(tagExtended, 0, "", nil))), sasl.ErrProtocol},
		"another op":  {string(message(1, result(tagBindResponse, 0, "", nil))), sasl.ErrProtocol},
		"notice":      {string(message(0, notice(52))), sasl.ErrTemporary},
		"no LDAP":     {"220 hello\r\n", sasl.ErrProtocol},
		"cut":         {"\x30", sasl.ErrConnection},
		"no TLS":      {string(message(1, result(tagExtended, 0, "", nil))) + "!", sasl.ErrSecurity},
	} {
		near, far := connect(t)
		go func() {
			io.ReadFull(far, make([]byte, 31))
			io.WriteString(far, row.answer)
			if name == "cut" {
				far.Close()
			}
		}()
		if _, err := saslldap.NewStartTLS(t.Context(), near, host, nil); sasl.ClassOf(err) != row.class {
			t.Errorf("%s: %v", name, err)
		}
		far.Close()
	}
}
