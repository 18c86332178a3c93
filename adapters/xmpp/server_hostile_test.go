package saslxmpp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

const (
	openStream = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'>"
	ns1        = " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
	ns2        = " xmlns='urn:xmpp:sasl:2'"
)

// secured returns a client by hand over direct TLS, after the features.
func (l *loopback) secured(t *testing.T, to string) (*talk, <-chan accepted) {
	t.Helper()
	conn, served := l.connect(t, true)
	secured, err := transport.Handshake(t.Context(), conn, host, "", &tls.Config{RootCAs: l.pool})
	if err != nil {
		t.Fatal(err)
	}
	talk := newTalk(secured)
	talk.says(t, strings.Replace(openStream, host, to, 1))
	talk.hears(t, "</stream:features>")
	return talk, served
}

// TestHostileClients: invalid XMPP ends the connection, without an authentication
// and without much memory.
func TestHostileClients(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for name, row := range map[string]struct {
		says  string
		class sasl.Class
	}{
		"text":                    {"text<a/>", sasl.ErrProtocol},
		"success":                 {"<success" + ns2 + "/>", sasl.ErrProtocol},
		"another element of SASL": {"<auth" + ns1 + " mechanism='PLAIN'/><success" + ns1 + "/>", sasl.ErrProtocol},
		"another of SASL2":        {"<abort" + ns2 + "/><success" + ns2 + "/>", sasl.ErrProtocol},
		"another domain":          {"", sasl.ErrPolicy},
		"another profile":         {"<abort" + ns2 + "/><auth" + ns1 + " mechanism='PLAIN'>AHVzZXIAcGVuY2ls</auth>", sasl.ErrProtocol},
		"a resource first":        {"<iq xmlns='jabber:client' type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", sasl.ErrProtocol},
		"a message first":         {"<message xmlns='jabber:client' to='user@example.org'/>", sasl.ErrProtocol},
		"elements in elements":    {"<authenticate" + ns2 + " mechanism='PLAIN'>" + strings.Repeat("<a>", 100), sasl.ErrProtocol},
		"many elements":           {"<authenticate" + ns2 + " mechanism='PLAIN'>" + strings.Repeat("<a/>", 1000), sasl.ErrProtocol},
		"a huge text":             {"<auth" + ns1 + " mechanism='PLAIN'>" + strings.Repeat("AAAA", 1<<20), sasl.ErrProtocol},
		"text beside elements":    {"<authenticate" + ns2 + " mechanism='PLAIN'>AAAA<initial-response/></authenticate>", sasl.ErrProtocol},
		"comment":                 {"<authenticate" + ns2 + " mechanism='PLAIN'><!-- -->", sasl.ErrProtocol},
		"document type":           {"<!DOCTYPE a [<!ENTITY b 'c'>]>", sasl.ErrProtocol},
		"the end":                 {"</stream:stream>", sasl.ErrProtocol},
	} {
		to := host
		if name == "another domain" {
			to, row.says = "example.net", "<authenticate"+ns2+" mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response></authenticate>"
		}
		talk, served := server.secured(t, to)
		go io.Copy(io.Discard, talk.conn)
		io.WriteString(talk.conn, row.says) // the server may close the connection before
		select {
		case at := <-served:
			if sasl.ClassOf(at.err) != row.class || at.result.Mechanism != "" {
				t.Errorf("%s: %v, want %s", name, at.err, row.class)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: the server waits", name)
		}
		talk.conn.Close()
	}
}

// TestRefusals: SASL2 is refused with the conditions of RFC 6120 s6.5, and the next
// attempt follows on the same stream.
func TestRefusals(t *testing.T) {
	auth := sasltest.AllMechanisms()
	auth.Tokens = &sasl.ServerTokens{Store: new(sasl.MemoryTokens), Mechanisms: []string{"HT-SHA-256-NONE"}}
	server := serve(t, auth)
	server.domain.TokenLifetime = time.Hour
	authenticate := func(mechanism, children string) string {
		return "<authenticate" + ns2 + " mechanism='" + mechanism + "'>" + children + "</authenticate>"
	}
	nobody := "<user-agent id='1'/><fast xmlns='urn:xmpp:fast:0'/>"
	wrong := "<initial-response>AHVzZXIAd3Jvbmc=</initial-response>" // NUL user NUL wrong
	agent := "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>"
	for _, row := range []struct{ says, condition string }{
		{authenticate("PLAIN", wrong), "not-authorized"},
		{authenticate("NONE", ""), "invalid-mechanism"},
		{authenticate("PLAIN", "<initial-response>!</initial-response>"), "incorrect-encoding"},
		{authenticate("PLAIN", wrong+"<fast xmlns='urn:xmpp:fast:0' count='-1'/>"), "malformed-request"},
		{authenticate("HT-SHA-256-NONE", agent), "malformed-request"},
		{authenticate("HT-SHA-256-NONE", "<fast xmlns='urn:xmpp:fast:0'/>"), "malformed-request"},
		{authenticate("HT-SHA-256-NONE", agent+"<fast xmlns='urn:xmpp:fast:0'/><initial-response>dXNlcgBhYmM=</initial-response>"), "not-authorized"},
		{authenticate("HT-SHA-256-EXPR", agent+"<fast xmlns='urn:xmpp:fast:0'/>"), "invalid-mechanism"},
		{authenticate("HT-SHA-256-NONE", nobody), "malformed-request"},
		{authenticate("SCRAM-SHA-1", "<initial-response>biwsbj11LHI9YWFhYWFhYWE=</initial-response>") + "<authenticate" + ns2 + " mechanism='PLAIN'/>", "malformed-request"},
		{"<response" + ns2 + ">AAAA</response>", "malformed-request"},
		{"<abort" + ns2 + "/>", "aborted"},
	} {
		talk, served := server.secured(t, host)
		talk.says(t, row.says)
		if got := talk.hears(t, "</failure>"); !strings.Contains(got, "<"+row.condition+ns1+"/>") {
			t.Errorf("%s: %s, want %s", row.says, got, row.condition)
		}
		talk.says(t, authenticate("PLAIN", "<initial-response>AHVzZXIAcGVuY2ls</initial-response>")+
			"<iq xmlns='jabber:client' type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>")
		if got := talk.hears(t, "</success>"); !strings.Contains(got, identified) {
			t.Errorf("%s: then %s", row.says, got)
		}
		if at := <-served; at.err != nil || at.address.String() != address+"/r" || at.result.Mechanism != "PLAIN" {
			t.Errorf("%s: then %+v", row.says, at)
		}
	}
}

// TestServerFeatures: the features work in the library without Accept.
func TestServerFeatures(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	var who saslxmpp.Accepted
	for _, into := range []*saslxmpp.Accepted{&who, nil} {
		near, far := sasltest.Pair(t)
		done := make(chan error, 1)
		go func() {
			_, err := xmpp.ReceiveClientSession(context.Background(), jid.JID{}, far, server.domain.Features(far, into)...)
			done <- err
		}()
		login := &saslxmpp.Login{Client: &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}, TLSConfig: &tls.Config{RootCAs: server.pool}}
		_, outcome, err := login.NewSession(t.Context(), jid.MustParse(address), near)
		if atServer := <-done; err != nil || atServer != nil || outcome.Mechanism != "SCRAM-SHA-512-PLUS" {
			t.Errorf("%+v, %v; server: %v", outcome, err, atServer)
		}
	}
	if who.Mechanism != "SCRAM-SHA-512-PLUS" || who.Address.Bare().String() != address || who.Address.Resourcepart() == "" {
		t.Errorf("%+v", who)
	}
}

// TestServerFeaturesAgain: an Accepted that is used again is zero until a client
// has a resource, and direct TLS works too.
func TestServerFeaturesAgain(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	who := saslxmpp.Accepted{Address: jid.MustParse("alice@example.org/r")}
	near, far := sasltest.Pair(t)
	conn := tls.Server(far, server.config)
	done := make(chan error, 1)
	go func() {
		features := server.domain.Features(conn, &who)
		_, err := xmpp.ReceiveSession(context.Background(), conn, xmpp.Secure, xmpp.NewNegotiator(func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
			return xmpp.StreamConfig{Features: features}
		}))
		done <- err
	}()
	talk := newTalk(tls.Client(near, &tls.Config{RootCAs: server.pool, ServerName: host}))
	talk.says(t, openStream)
	talk.hears(t, "</stream:features>")
	talk.says(t, "<authenticate"+ns2+" mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response></authenticate>"+
		"<iq xmlns='jabber:client' type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>"+strings.Repeat("a", 1024)+"</resource></bind></iq>")
	if err := <-done; !errors.Is(err, sasl.ErrProtocol) || who.Address.String() != "" || who.Username != "user" {
		t.Errorf("%+v, %v", who, err)
	}
}

// TestAcceptEnds: the end of a context ends the wait for a client.
func TestAcceptEnds(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	_, far := sasltest.Pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	var conn net.Conn = far
	if _, _, err := server.domain.Accept(ctx, conn); !errors.Is(err, context.Canceled) || !errors.Is(err, sasl.ErrConnection) {
		t.Error(err)
	}
}

// TestServerTokens: a client without an identity gets no token, and a login with a
// token uses SASL2 alone.
func TestServerTokens(t *testing.T) {
	auth := sasltest.AllMechanisms()
	auth.Tokens = &sasl.ServerTokens{Store: new(sasl.MemoryTokens), Mechanisms: []string{"HT-SHA-256-NONE"}}
	server := serve(t, auth)
	server.domain.TokenLifetime = time.Hour
	request := "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/><request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/></authenticate>"
	for start, want := range map[string]bool{
		"<authenticate" + ns2 + " mechanism='ANONYMOUS'><initial-response/>":                               false,
		"<authenticate" + ns2 + " mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response>": true,
	} {
		talk, _ := server.secured(t, host)
		talk.says(t, start+request)
		if got := talk.hears(t, "</success>"); strings.Contains(got, "<token") != want {
			t.Error(got)
		}
		talk.conn.Close()
	}
	talk, _ := server.secured(t, host)
	talk.says(t, "<auth"+ns1+" mechanism='HT-SHA-256-NONE'>dXNlcgBhYmM=</auth>")
	if got := talk.hears(t, "</failure>"); !strings.Contains(got, "<invalid-mechanism"+ns1+"/>") {
		t.Error(got)
	}
	talk.conn.Close()
}

// TestServerWithinExchange: an exchange that begins within another one ends both,
// and counts as an attempt.
func TestServerWithinExchange(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	talk, served := server.secured(t, host)
	for range 5 {
		talk.says(t, "<auth"+ns1+" mechanism='SCRAM-SHA-1'>biwsbj11LHI9YWFhYWFhYWE=</auth>")
		talk.hears(t, "</challenge>")
		talk.says(t, "<auth"+ns1+" mechanism='SCRAM-SHA-1'>biwsbj11LHI9YWFhYWFhYWE=</auth>")
		if got := talk.hears(t, "</failure>"); !strings.Contains(got, "<malformed-request"+ns1+"/>") {
			t.Error(got)
		}
	}
	if at := <-served; !errors.Is(at.err, sasl.ErrAuthentication) {
		t.Errorf("%+v", at)
	}
}
