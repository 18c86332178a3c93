package saslldap_test

import (
	"crypto/tls"
	"errors"
	"net"
	"testing"
	"testing/synctest"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// microsoft returns Active Directory's text for wrong credentials, with the number
// of the reason.
func microsoft(data string) string {
	return "80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data " + data + ", v3839\x00"
}

// TestResultCodes: each result code has its class, in answer to the first message
// and, if that differs, to a later one, and the error has the library's error.
func TestResultCodes(t *testing.T) {
	for _, row := range []struct {
		code  uint16
		text  string
		class sasl.Class
		later sasl.Class // "" = the same
	}{
		{49, "SASL(-13): authentication failure: StoredKey mismatch", sasl.ErrAuthentication, ""},
		{48, "", sasl.ErrPolicy, ""},
		{7, "SASL(-4): no mechanism available: Couldn't find mech X", sasl.ErrPolicy, ""},
		{8, "", sasl.ErrPolicy, ""},
		{13, "", sasl.ErrPolicy, ""},
		{50, "not authorized to assume identity", sasl.ErrAuthorization, ""},
		{123, "", sasl.ErrAuthorization, ""},
		{51, "", sasl.ErrTemporary, ""},
		{52, "", sasl.ErrTemporary, ""},
		{3, "", sasl.ErrTemporary, ""},
		{2, "", sasl.ErrProtocol, ""},
		{80, "SASL(-13): user not found: no secret in database", sasl.ErrAuthentication, sasl.ErrProtocol},
		{53, "Account inactivated. Contact system administrator.", sasl.ErrAuthorization, ""},
		{19, "Exceed password retry limit. Please try later.", sasl.ErrAuthorization, ""},
		{8, "The server requires TLS", sasl.ErrPolicy, ""},
		{8, "SASL:[GSSAPI]: Sign or Seal are required.", sasl.ErrPolicy, ""},
		{53, "SASL:[GSSAPI]: Sign or Seal are not allowed if TLS is used", sasl.ErrPolicy, ""},
		{10, "", sasl.ErrPolicy, ""},
		{49, "password expired!", sasl.ErrAuthentication, ""},
		{49, "Bind failed: account was permanently LOCKED", sasl.ErrAuthorization, ""},
		{4096, "", sasl.ErrAuthentication, ""},
		{49, microsoft("52e"), sasl.ErrAuthentication, ""}, // wrong password
		{49, microsoft("525"), sasl.ErrAuthentication, ""}, // no such user
		{49, microsoft("52f"), sasl.ErrAuthorization, ""},  // a restriction of the account
		{49, microsoft("51f"), sasl.ErrTemporary, ""},      // no domain controller
		{49, microsoft("569"), sasl.ErrAuthorization, ""},  // not by this kind of login
		{49, "80090308: ldaperr: DSID-0C09042A, comment: AcceptSecurityContext error,data  52F ,v3839", sasl.ErrAuthorization, ""},
		{49, "80090346: LdapErr: DSID-0C090569, comment: AcceptSecurityContext error, data 80090346, v4563", sasl.ErrSecurity, ""},
		{49, "80090346: LdapErr: DSID-0C090569, comment: AcceptSecurityContext error, data 0, v4563", sasl.ErrSecurity, ""},
		{49, microsoft("80090346"), sasl.ErrSecurity, ""},
		{49, "80090346: ldaperr: comment, data 0", sasl.ErrSecurity, ""},
		{49, microsoft("530"), sasl.ErrAuthorization, ""},  // at this hour
		{49, microsoft("531"), sasl.ErrAuthorization, ""},  // from this workstation
		{49, microsoft("532"), sasl.ErrAuthentication, ""}, // the password has expired
		{49, microsoft("533"), sasl.ErrAuthorization, ""},  // the account is disabled
		{49, microsoft("701"), sasl.ErrAuthorization, ""},  // it has expired
		{49, microsoft("773"), sasl.ErrAuthentication, ""}, // the password must be changed
		{49, microsoft("775"), sasl.ErrAuthorization, ""},  // it is locked
		{49, "no LdapErr, data 533, or so", sasl.ErrAuthentication, ""},
		{52, microsoft("533"), sasl.ErrTemporary, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			check := func(outcome chan bindOutcome, class sasl.Class) {
				t.Helper()
				err := (<-outcome).err
				var own *ldap.Error
				if sasl.ClassOf(err) != class || !errors.As(err, &own) || !ldap.IsErrorWithCode(own, row.code) {
					t.Errorf("%d %q: %v, want %s", row.code, row.text, err, class)
				}
			}
			outcome := bind(t.Context(), client)
			p.rootDSE(mechanisms("PLAIN", "SCRAM-SHA-256"))
			p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, int64(row.code), row.text, nil))
			check(outcome, row.class)
			if row.class == sasl.ErrSecurity {
				return // the connection is closed
			}

			outcome = bind(t.Context(), client, sasl.SCRAM(sasl.SHA256, sasl.Password("alice", "pencil")))
			p.rootDSE(mechanisms("PLAIN", "SCRAM-SHA-256"))
			first := p.next(ldap.ApplicationBindRequest)
			p.say(first.id, result(tagBindResponse, 14, "", []byte(serverFirst(t, first.op))))
			p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, int64(row.code), row.text, nil))
			if row.later == "" {
				row.later = row.class
			}
			check(outcome, row.later)
		})
	}
}

// TestStrongerAuth: strongerAuthRequired asks for TLS if its text says so and there is
// none, and else for another mechanism.
func TestStrongerAuth(t *testing.T) {
	for text, want := range map[string]sasl.Condition{
		"":                                   sasl.MechanismTooWeak,
		"stronger authentication required":   sasl.MechanismTooWeak,
		"Transport Layer Security, or Ssl":   sasl.EncryptionRequired,
		"the server requires tls":            sasl.EncryptionRequired,
		"if SSL\\TLS are not already active": sasl.EncryptionRequired,
	} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			outcome := bind(t.Context(), client)
			p.rootDSE(mechanisms("PLAIN"))
			p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 8, text, nil))
			var failure *sasl.Failure
			if err := (<-outcome).err; !errors.As(err, &failure) || failure.Condition != want {
				t.Errorf("%q: %v", text, err)
			}
		})
	}
	certificate, pool := sasltest.Certificate(t, host)
	address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) error {
		w := newWire(tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}}))
		err := w.Greet("PLAIN", true)
		_, _, readErr := w.ReadInitiate()
		return errors.Join(err, readErr, w.send(result(tagBindResponse, 8, "TLS alone does not do", nil)))
	})
	client, err := saslldap.DialURL(t.Context(), "ldaps://"+host, &saslldap.Options{Address: address, TLSConfig: &tls.Config{RootCAs: pool}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, err = client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("alice", "pencil"))}})
	var failure *sasl.Failure
	if !errors.As(err, &failure) || failure.Condition != sasl.MechanismTooWeak {
		t.Errorf("over TLS: %v", err)
	}
}
