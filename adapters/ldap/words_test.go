package saslldap_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// refused returns an LDAPResult with all that a server can say for people.
func refused(tag ber.Tag, code int64, dn, text string, urls ...string) *ber.Packet {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	op.AppendChild(octets(dn))
	op.AppendChild(octets(text))
	if urls != nil {
		referral := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "")
		for _, url := range urls {
			referral.AppendChild(octets(url))
		}
		op.AppendChild(referral)
	}
	return op
}

// TestReferral: a refusal that refers to another server is an ErrPolicy, gives no
// advice about the password, and shows each URL once.
func TestReferral(t *testing.T) {
	for want, op := range map[string]*ber.Packet{
		"policy error: refused with referral: ldap://one.example.org/ ldap://two.example.org/":       refused(tagBindResponse, 10, "", "", "ldap://one.example.org/", "ldap://two.example.org/"),
		"policy error: refused with referral: go to ldap://one.example.org/":                         refused(tagBindResponse, 10, "", "go to ldap://one.example.org/", "ldap://one.example.org/"),
		"authentication error: refused with not-authorized: no (matched: dc=test) ldap://x.example/": refused(tagBindResponse, 49, "dc=test", "no", "ldap://x.example/"),
	} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			outcome := bind(t.Context(), client)
			p.rootDSE(mechanisms("PLAIN"))
			p.say(p.next(ldap.ApplicationBindRequest).id, op)
			err := (<-outcome).err
			var login *sasl.LoginError
			if err == nil || err.Error() != want || !errors.As(err, &login) {
				t.Fatal(err)
			}
			if hinted := len(login.Hints) > 0; hinted != errors.Is(err, sasl.ErrAuthentication) {
				t.Errorf("%s: %v", want, login.Hints)
			}
			var own *ldap.Error
			if !errors.As(err, &own) || own.Packet != nil {
				t.Errorf("%#v", own)
			}
			if p.closed() {
				t.Error("the connection is closed")
			}
		})
	}
}

// TestHints: the password is mentioned if it may be wrong, and not if the server's
// code or its words are about something else.
func TestHints(t *testing.T) {
	for _, row := range []struct {
		code int64
		text string
		want string
	}{
		{49, "", "password"},
		{49, microsoft("52e"), "password"},
		{49, microsoft("525"), "password"},
		{49, microsoft("52f"), ""},
		{49, microsoft("533"), ""},
		{49, microsoft("701"), ""},
		{49, microsoft("773"), ""},
		{49, microsoft("775"), ""},
		{49, "80090346: LdapErr: DSID-0C090569, comment: AcceptSecurityContext error, data 80090346, v4563", ""},
		{49, "Account is locked", ""},
		{49, "Account disabled by the administrator", ""},
		{49, "password expired!", ""},
		{49, "The password has expired", ""},
		{49, "the password must be changed first", ""},
		{49, "Intruder LOCKOUT", ""},
		{49, "the account expired", ""},
		{49, "the account has expired", ""},
		{49, "Account inactivated", ""},
		{49, "Exceed password retry limit", ""},
		{53, "Account inactivated. Contact system administrator.", ""},
		{19, "Exceed password retry limit. Please try later.", ""},
		{8, "", ""},
		{13, "", ""},
		{51, "", ""},
		{80, "", "password"}, // OpenLDAP, for a user who does not exist
	} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			outcome := bind(t.Context(), client)
			p.rootDSE(mechanisms("PLAIN"))
			p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, row.code, row.text, nil))
			var login *sasl.LoginError
			if err := (<-outcome).err; !errors.As(err, &login) {
				t.Fatal(err)
			}
			got := ""
			for _, hint := range login.Hints {
				got += string(hint)
			}
			if got != row.want {
				t.Errorf("%d %s: %q, want %q", row.code, row.text, got, row.want)
			}
		})
	}
}

// TestReasonInLibraryErrors: the errors of the library's requests have the reason for
// the end of the connection.
func TestReasonInLibraryErrors(t *testing.T) {
	for want, end := range map[string]func(client *saslldap.Client, p *peer){
		"temporary error: the server ends the connection, with result code 52: going down": func(_ *saslldap.Client, p *peer) {
			p.say(0, notice(52))
			p.conn.Close()
		},
		"connection error: the server closed the connection": func(_ *saslldap.Client, p *peer) { p.conn.Close() },
		"protocol error: the server sent an invalid LDAP message": func(_ *saslldap.Client, p *peer) {
			go p.conn.Write([]byte("\x30\x80\x02\x01\x01\x64"))
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			outcome := search(client, "dc=one")
			one := p.next(ldap.ApplicationSearchRequest)
			p.entry(one.id, "dc=one") // so the server has been heard
			end(client, p)
			if got := <-outcome; got.err == nil || !strings.Contains(got.err.Error(), want) {
				t.Errorf("%v, want %s", got.err, want)
			}
			synctest.Wait()
			if err := client.Del(ldap.NewDelRequest("dc=one", nil)); err == nil {
				t.Error("the connection is open")
			}
		})
	}
}
