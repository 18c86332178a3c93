package saslxmpp_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestServerIdentities: a store has User and user, and accepts any password.
// Nobody gets the address of another account by the letters of a name, and no authzid
// names a resource, also if Authorize admits everything.
func TestServerIdentities(t *testing.T) {
	anything := func(context.Context, sasl.Identity, sasl.ConnInfo) error { return nil }
	for _, row := range []struct {
		message   string // authzid NUL authcid
		authorize func(context.Context, sasl.Identity, sasl.ConnInfo) error
		address   string // "" = refused
	}{
		{"\x00user", nil, "user@example.org"},
		{"\x00User", nil, ""},
		{"user@example.org\x00User", nil, ""},
		{"User@example.org\x00User", nil, ""},
		{"User@example.org\x00user", nil, ""},
		{"user@EXAMPLE.org\x00user", nil, ""},
		{"user@example.org/r\x00user", nil, ""},
		{"user@example.org\x00root", anything, "user@example.org"},
		{"user@example.org/r\x00root", anything, ""},
		{"user@example.org/r\x00user", anything, ""},
		{"USER@example.org\x00root", anything, ""},
	} {
		server := serve(t, &sasl.Server{Authorize: row.authorize, Mechanisms: []sasl.ServerMechanism{
			sasl.PlainServer(func(context.Context, string, sasl.Secret) error { return nil }),
		}})
		for _, ns := range []string{ns1, ns2} {
			c, served := server.secured(t, host)
			message := base64.StdEncoding.EncodeToString([]byte(row.message + "\x00x"))
			text := "<auth" + ns1 + " mechanism='PLAIN'>" + message + "</auth>"
			if ns == ns2 {
				text = "<authenticate" + ns2 + " mechanism='PLAIN'><initial-response>" + message + "</initial-response></authenticate>"
			}
			c.says(t, text)
			end, want := success1, success1
			switch {
			case row.address == "":
				end, want = "</failure>", "<failure"+ns+"><invalid-authzid"+ns1+"/></failure>"
			case ns == ns2:
				end, want = "</success>", success2("<authorization-identifier>"+row.address+"</authorization-identifier>")
			}
			if got := c.hears(t, end); got != want {
				t.Errorf("%q: %s, want %s", row.message, got, want)
			}
			c.conn.Close()
			<-served
		}
	}
}

// TestServerQuotes: what a client sends for a resource and an id comes back as text,
// never as an element.
func TestServerQuotes(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for _, row := range []struct{ id, resource, want string }{
		{"x&apos;/>&lt;evil/>", "r", "<iq type='result' id='x&#39;/&gt;&lt;evil/&gt;'>"},
		{"1", "a&apos;>&lt;evil/&gt;", "<jid>user@example.org/a&#39;&gt;&lt;evil/&gt;</jid>"},
		{"1", "/@/", "<jid>user@example.org//@/</jid>"},
		{"1", "a&#13;&#10;b", "<error type='modify'><bad-request" + nsStanzas + "/>"},
		{"1", "&#x202e;x", "<error type='modify'><bad-request" + nsStanzas + "/>"},
		{strings.Repeat("i", 60000), "r", "id='" + strings.Repeat("i", 60000) + "'"},
	} {
		c, served := server.secured(t, host)
		c.says(t, "<authenticate"+ns2+" mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response></authenticate>")
		c.hears(t, "</stream:features>")
		c.says(t, "<iq xmlns='jabber:client' type='set' id='"+row.id+"'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>"+row.resource+"</resource></bind></iq>")
		if got := c.hears(t, "</iq>"); !strings.Contains(got, row.want) || strings.Contains(got, "<evil") {
			t.Errorf("%.40s, %s: %.400s", row.id, row.resource, got)
		}
		if at := <-served; (at.err == nil) != !strings.Contains(row.want, "error") {
			t.Errorf("%.40s, %s: %+v", row.id, row.resource, at)
		}
	}
}

// TestServerBoundAlone: the bound of an element holds without Accept too.
func TestServerBoundAlone(t *testing.T) {
	for name, says := range map[string]string{
		"in a text":         "<authenticate" + ns2 + " mechanism='PLAIN'><initial-response>" + strings.Repeat("A", 97<<10) + "</initial-response></authenticate>",
		"in an attribute":   "<authenticate" + ns2 + " mechanism='" + strings.Repeat("A", 97<<10) + "'></authenticate>",
		"in several texts":  "<authenticate" + ns2 + " mechanism='PLAIN'>" + strings.Repeat("<a>"+strings.Repeat("A", 1<<10)+"</a>", 97) + "</authenticate>",
		"in the attributes": "<authenticate" + ns2 + " mechanism='PLAIN'>" + strings.Repeat("<a b='"+strings.Repeat("A", 1<<10)+"'/>", 97) + "</authenticate>",
		"in the namespaces": "<authenticate" + ns2 + " mechanism='PLAIN'>" + strings.Repeat("<a xmlns='"+strings.Repeat("A", 512)+"'/>", 97) + "</authenticate>",
		"in the names":      "<authenticate" + ns2 + " mechanism='PLAIN'>" + strings.Repeat("<"+strings.Repeat("a", 1<<10)+"/>", 97) + "</authenticate>",
		"in names of attrs": "<authenticate" + ns2 + " mechanism='PLAIN'>" + strings.Repeat("<a "+strings.Repeat("a", 1<<10)+"=''/>", 97) + "</authenticate>",
	} {
		server := serve(t, sasltest.AllMechanisms())
		server.domain.TLSConfig = nil
		near, far := sasltest.Pair(t)
		done := make(chan error, 1)
		go func() {
			_, err := xmpp.ReceiveClientSession(context.Background(), jid.JID{}, far, server.domain.Features(far, nil)...)
			done <- err
		}()
		c := newTalk(near)
		c.says(t, openStream)
		c.hears(t, "</stream:features>")
		go io.Copy(io.Discard, near)
		go io.WriteString(near, says)
		select {
		case err := <-done:
			if !errors.Is(err, sasl.ErrProtocol) || !strings.Contains(err.Error(), "an element of more than 96 KiB") {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: the server takes the element", name)
		}
		near.Close()
	}
}

// TestServerReadyTooEarly: a feature of the caller does not make a session ready before
// the authentication, nor before the client has a resource.
func TestServerReadyTooEarly(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	early := xmpp.StreamFeature{
		Name: xml.Name{Space: "urn:early", Local: "early"},
		List: func(_ context.Context, e xmlstream.TokenWriter, start xml.StartElement) (bool, error) {
			return true, errors.Join(e.EncodeToken(start), e.EncodeToken(start.End()))
		},
		Negotiate: func(_ context.Context, s *xmpp.Session, _ any) (xmpp.SessionState, io.ReadWriter, error) {
			r := s.TokenReader()
			defer r.Close()
			for range 2 { // the start and the end of the request
				if _, err := r.Token(); err != nil {
					return 0, nil, err
				}
			}
			return xmpp.Ready, nil, nil
		},
	}
	for says, class := range map[string]sasl.Class{
		"": sasl.ErrSecurity,
		"<authenticate" + ns2 + " mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response></authenticate>": sasl.ErrProtocol,
	} {
		near, far := sasltest.Pair(t)
		done := make(chan error, 1)
		go func() {
			_, _, err := server.domain.Accept(t.Context(), tls.Server(far, server.config), early)
			done <- err
		}()
		c := newTalk(tls.Client(near, &tls.Config{RootCAs: server.pool, ServerName: host}))
		c.says(t, openStream)
		c.hears(t, "</stream:features>")
		c.says(t, says+"<early xmlns='urn:early'/>")
		if err := <-done; sasl.ClassOf(err) != class {
			t.Errorf("%s: %v", says, err)
		}
	}
}

// TestServerCutAtResource: a client that leaves in its request for a resource is gone,
// not invalid.
func TestServerCutAtResource(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	c, served := server.secured(t, host)
	c.says(t, "<authenticate"+ns2+" mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response></authenticate>")
	c.hears(t, "</stream:features>")
	c.says(t, "<iq xmlns='jabber:client' type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>")
	c.conn.Close()
	if at := <-served; !errors.Is(at.err, sasl.ErrConnection) {
		t.Errorf("%+v", at)
	}
}
