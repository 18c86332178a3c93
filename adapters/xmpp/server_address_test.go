package saslxmpp_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestServerAddress: who a client is, and who says so.
func TestServerAddress(t *testing.T) {
	own := errors.New("nobody")
	for name, row := range map[string]struct {
		of        func(sasl.Result, jid.JID) (jid.JID, error)
		authzid   string
		condition string // "" = it gets in
		class     sasl.Class
		address   string
	}{
		"the user":        {nil, "", "", "", "user@example.org"},
		"the authzid":     {nil, "other@example.org", "", "", "other@example.org"},
		"no address":      {nil, "@", "invalid-authzid", sasl.ErrAuthentication, ""},
		"capital letters": {nil, "Other@example.org", "invalid-authzid", sasl.ErrAuthentication, ""},
		"somebody decides": {func(r sasl.Result, domain jid.JID) (jid.JID, error) {
			return jid.MustParse("x@" + domain.String()), nil
		}, "", "", "", "x@example.org"},
		"somebody declines": {func(sasl.Result, jid.JID) (jid.JID, error) { return jid.JID{}, own }, "", "invalid-authzid", sasl.ErrAuthentication, ""},
		"the store is down": {func(sasl.Result, jid.JID) (jid.JID, error) { return jid.JID{}, errors.Join(sasl.ErrTemporary, own) }, "", "temporary-auth-failure", sasl.ErrAuthentication, ""},
	} {
		auth := sasltest.AllMechanisms()
		auth.Authorize = func(context.Context, sasl.Identity, sasl.ConnInfo) error { return nil }
		server := serve(t, auth)
		server.auth.Address = row.of
		talk, served := server.secured(t, host)
		message := "<auth" + ns1 + " mechanism='PLAIN'>" + base64.StdEncoding.EncodeToString([]byte(row.authzid+"\x00user\x00pencil")) + "</auth>"
		if row.condition != "" {
			for range 5 {
				talk.says(t, message)
				if got := talk.hears(t, "</failure>"); !strings.Contains(got, row.condition) || strings.Contains(got, own.Error()) {
					t.Errorf("%s: %s", name, got)
				}
			}
		} else {
			talk.says(t, message)
			talk.hears(t, "<success"+ns1+"/>")
			talk.says(t, openStream)
			talk.hears(t, "</stream:features>")
			talk.says(t, "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
		}
		at := <-served
		if sasl.ClassOf(at.err) != row.class || at.address.Bare().String() != row.address {
			t.Errorf("%s: %v, %v", name, at.address, at.err)
		}
		if row.condition == "" && at.address.Resourcepart() == "" {
			t.Errorf("%s: no resource", name)
		}
	}
}

// TestStreamOfSomebodyElse: the stream after authentication says that it is
// from another than the one before.
func TestStreamOfSomebodyElse(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	talk, served := server.secured(t, host)
	talk.says(t, "<auth"+ns1+" mechanism='PLAIN'>AHVzZXIAcGVuY2ls</auth>")
	talk.hears(t, "<success"+ns1+"/>")
	talk.says(t, strings.Replace(openStream, " to=", " from='root@example.org' to=", 1))
	talk.hears(t, "</stream:features>")
	talk.says(t, "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
	if at := <-served; !errors.Is(at.err, sasl.ErrAuthorization) || at.address.String() != "" {
		t.Errorf("%+v", at)
	}
}

// TestServerCase: names that differ to the store and not in an address.
func TestServerCase(t *testing.T) {
	server := serve(t, &sasl.Server{Mechanisms: []sasl.ServerMechanism{
		sasl.PlainServer(func(context.Context, string, sasl.Secret) error { return nil }),
	}})
	for user, condition := range map[string]string{"Alice": "invalid-authzid", "a@b": "invalid-authzid", "alice": ""} {
		talk, _ := server.secured(t, host)
		talk.says(t, "<auth"+ns1+" mechanism='PLAIN'>"+base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00x"))+"</auth>")
		if condition == "" {
			talk.hears(t, "<success"+ns1+"/>")
		} else if got := talk.hears(t, "</failure>"); !strings.Contains(got, condition) {
			t.Errorf("%s: %s", user, got)
		}
		talk.conn.Close()
	}
}
