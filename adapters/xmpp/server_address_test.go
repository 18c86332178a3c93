package saslxmpp_test

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestServerAddress: the address of a client comes from AddressOf, the authzid or
// the username.
func TestServerAddress(t *testing.T) {
	own := errors.New("nobody")
	for name, row := range map[string]struct {
		of        func(sasl.Result) (jid.JID, error)
		authzid   string
		condition string // "" = the client is accepted
		class     sasl.Class
		address   string
	}{
		"the user":           {nil, "", "", "", "user@example.org"},
		"the authzid":        {nil, "other@example.org", "", "", "other@example.org"},
		"no address":         {nil, "@", "invalid-authzid", sasl.ErrAuthentication, ""},
		"capital letters":    {nil, "Other@example.org", "invalid-authzid", sasl.ErrAuthentication, ""},
		"another domain":     {nil, "other@example.net", "invalid-authzid", sasl.ErrAuthentication, ""},
		"the domain itself":  {nil, "example.org", "invalid-authzid", sasl.ErrAuthentication, ""},
		"somebody decides":   {func(sasl.Result) (jid.JID, error) { return jid.MustParse("x@example.org"), nil }, "", "", "", "x@example.org"},
		"for another domain": {func(sasl.Result) (jid.JID, error) { return jid.MustParse("x@example.net"), nil }, "", "invalid-authzid", sasl.ErrAuthentication, ""},
		"for nobody":         {func(sasl.Result) (jid.JID, error) { return jid.JID{}, nil }, "", "invalid-authzid", sasl.ErrAuthentication, ""},
		"somebody declines":  {func(sasl.Result) (jid.JID, error) { return jid.JID{}, own }, "", "invalid-authzid", sasl.ErrAuthentication, ""},
		"the store is down":  {func(sasl.Result) (jid.JID, error) { return jid.JID{}, errors.Join(sasl.ErrTemporary, own) }, "", "temporary-auth-failure", sasl.ErrAuthentication, ""},
	} {
		auth := sasltest.AllMechanisms()
		auth.Authorize = func(context.Context, sasl.Identity, sasl.ConnInfo) error { return nil }
		server := serve(t, auth)
		server.domain.AddressOf = row.of
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

// TestStreamOfSomebodyElse: the stream after the authentication has another from
// than the stream before.
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

// TestServerNames: a store may have any names, but no name gives its user the
// address of another user or of the server.
func TestServerNames(t *testing.T) {
	reported := 0
	server := serve(t, &sasl.Server{Mechanisms: []sasl.ServerMechanism{
		sasl.PlainServer(func(context.Context, string, sasl.Secret) error { return nil }),
	}, Refused: func(string, sasl.ConnInfo, error) { reported++ }})
	rows := map[string]string{
		"\x00Alice": "invalid-authzid", "\x00a@b": "invalid-authzid", "\x00alice": "",
		"alice@example.org\x00alice": "", "bob@example.org\x00alice": "invalid-authzid", "alice\x00alice": "invalid-authzid",
		"alice@example.org/x@example.org\x00alice@example.org/x": "invalid-authzid", "alice@example.org/\x00alice@example.org/": "invalid-authzid",
		"alice@example.org/x\x00alice": "invalid-authzid", "example.org\x00example.org": "invalid-authzid", "muc.example.org\x00muc.example.org": "invalid-authzid",
		"alice@example.org\x00alice@example.org": "invalid-authzid", "alice@example.net\x00alice@example.net": "invalid-authzid",
	}
	for user, condition := range rows {
		talk, _ := server.secured(t, host)
		talk.says(t, "<auth"+ns1+" mechanism='PLAIN'>"+base64.StdEncoding.EncodeToString([]byte(user+"\x00x"))+"</auth>")
		if condition == "" {
			talk.hears(t, "<success"+ns1+"/>")
		} else if got := talk.hears(t, "</failure>"); !strings.Contains(got, condition) {
			t.Errorf("%q: %s", user, got)
		}
		talk.conn.Close()
	}
	if reported != len(rows)-2 {
		t.Errorf("Refused was called %d times", reported)
	}
}

// TestServerResource: an invalid resource is refused, and there is no session.
func TestServerResource(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	talk, served := server.secured(t, host)
	talk.says(t, "<authenticate"+ns2+" mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response></authenticate>"+
		"<iq xmlns='jabber:client' type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>"+strings.Repeat("a", 1024)+"</resource></bind></iq>")
	want := "<iq type='error' id='1'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
	if got := talk.hears(t, "</iq>"); !strings.HasSuffix(got, want) {
		t.Error(got)
	}
	if at := <-served; !errors.Is(at.err, sasl.ErrProtocol) || at.address.String() != "" {
		t.Errorf("%+v", at)
	}
	talk, served = server.secured(t, host)
	talk.says(t, "<authenticate"+ns2+" mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response></authenticate>"+
		"<iq xmlns='jabber:client' type='set' id='&quot;'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>a&amp;b</resource></bind></iq>")
	want = "<iq type='result' id='&#34;'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>user@example.org/a&amp;b</jid></bind></iq>"
	if got := talk.hears(t, "</iq>"); !strings.HasSuffix(got, want) {
		t.Error(got)
	}
	if at := <-served; at.err != nil || at.address.String() != "user@example.org/a&b" {
		t.Errorf("%+v", at)
	}
}

// TestServerRefused: Server.Refused is called once for each refusal, with the
// domain. TestServerTokenUsed covers the client's ID.
func TestServerRefused(t *testing.T) {
	auth := sasltest.AllMechanisms()
	var reported []string
	var remote string
	auth.Refused = func(mechanism string, conn sasl.ConnInfo, reason error) {
		reported = append(reported, mechanism+" "+conn.Host+" "+string(sasl.ClassOf(reason)))
		remote = conn.Remote
	}
	server := serve(t, auth)
	agent := "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>"
	scram := "<authenticate" + ns2 + " mechanism='SCRAM-SHA-1'>" + agent + "<initial-response>biwsbj11c2VyLHI9YWFhYWFhYWE=</initial-response></authenticate>"
	talk, served := server.secured(t, host)
	for _, row := range []struct{ says, hears string }{
		{"<authenticate" + ns2 + " mechanism='PLAIN'>" + agent + "<initial-response>!</initial-response></authenticate>", "</failure>"},
		{"<response" + ns2 + "/>", "</failure>"},
		{scram, "</challenge>"},
		{"<response" + ns2 + ">Yz1iaXdzLHI9YSxwPUFBQUE=</response>", ">"}, // another nonce
		{"<abort" + ns2 + "/>", "</failure>"},                             // already told, in the challenge
		{"<abort" + ns2 + "/>", "</failure>"},                             // of nothing
		{"<authenticate" + ns2 + " mechanism='PLAIN'/>", "/>"},
		{"<abort" + ns2 + "/>", "</failure>"},
	} {
		talk.says(t, row.says)
		talk.hears(t, row.hears)
	}
	talk.conn.Close()
	<-served
	const at = " " + host + " "
	want := []string{"PLAIN" + at + "protocol", "PLAIN" + at + "protocol", "SCRAM-SHA-1" + at + "security", "PLAIN" + at + "protocol"}
	if address := talk.conn.LocalAddr().String(); remote != address {
		t.Errorf("the client is at %q, want %q", remote, address)
	}
	if !slices.Equal(reported, want) {
		t.Errorf("%q, want %q", reported, want)
	}
}

// TestServerFrom: a stream may have these values of from, and no others.
func TestServerFrom(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for from, class := range map[string]sasl.Class{
		"user@example.org": "", "user@example.org/r": "", "example.org": "",
		"example.net": sasl.ErrAuthorization, "root@example.org": sasl.ErrAuthorization, "example.org/r": sasl.ErrAuthorization,
	} {
		talk, served := server.secured(t, host)
		talk.says(t, "<auth"+ns1+" mechanism='PLAIN'>AHVzZXIAcGVuY2ls</auth>")
		talk.hears(t, "<success"+ns1+"/>")
		talk.says(t, strings.Replace(openStream, " to=", " from='"+from+"' to=", 1))
		talk.hears(t, "</stream:features>")
		talk.says(t, "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
		if at := <-served; sasl.ClassOf(at.err) != class || (at.address.Resourcepart() != "") != (class == "") {
			t.Errorf("from %s: %+v", from, at)
		}
	}
}

// TestServerNobody: with ANONYMOUS too, a client has an address.
func TestServerNobody(t *testing.T) {
	server := serve(t, &sasl.Server{Mechanisms: []sasl.ServerMechanism{
		sasl.AnonymousServer(func(context.Context, string) (string, error) { return "", nil }),
	}})
	talk, _ := server.secured(t, host)
	talk.says(t, "<authenticate"+ns2+" mechanism='ANONYMOUS'><initial-response/></authenticate>")
	if got := talk.hears(t, "</failure>"); !strings.Contains(got, "invalid-authzid") {
		t.Error(got)
	}
	talk.conn.Close()
}
