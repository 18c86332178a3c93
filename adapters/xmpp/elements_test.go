package saslxmpp_test

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// pieces is a connection whose reads return so many octets at most; 0 = no limit.
// The first read returns the first octets alone, if that is set.
type pieces struct {
	net.Conn
	most, first int
}

func (p *pieces) Read(b []byte) (int, error) {
	most := p.most
	if p.first > 0 {
		most, p.first = p.first, 0
	}
	if most > 0 {
		b = b[:min(most, len(b))]
	}
	return p.Conn.Read(b)
}

// spaced are the turns of a login with white space wherever RFC 6120 s11.7 and
// servers that format their XML have it. The success and the next stream come
// together, which no client has to wait for.
func spaced(space string) map[string][]turn {
	header := space + strings.Replace(streamHeader, "?><", "?>"+space+"<", 1)
	list := func(features ...string) string {
		return header + space + "<stream:features>" + space + strings.Join(features, space) + space + "</stream:features>" + space
	}
	inside := func(element string) string { return strings.ReplaceAll(element, "><", ">"+space+"<") }
	return map[string][]turn{
		"SASL":            {{streamEnd, list(inside(mechanisms), "<a xmlns='urn:a'/>")}, {"</auth>", space + success1 + space}, {streamEnd, list("<a xmlns='urn:a'/>")}},
		"SASL, pipelined": {{streamEnd, list(inside(mechanisms))}, {"</auth>", space + success1 + list("<a xmlns='urn:a'/>")}},
		"SASL2":           {{streamEnd, list("<a xmlns='urn:a'/>", inside(sasl2))}, {"</authenticate>", space + inside(success2(identified)) + space + "<stream:features>" + space + "</stream:features>"}},
	}
}

// TestWhiteSpace: white space between elements and the borders of reads make no
// difference.
func TestWhiteSpace(t *testing.T) {
	for _, space := range []string{"", "\n", "\r\n\t ", strings.Repeat(" ", 5000)} {
		for name, turns := range spaced(space) {
			for _, most := range []int{0, 1, 7} {
				conn, heard := scripted(t, turns...)
				session, _, err := negotiate(t.Context(), &pieces{Conn: conn, most: most}, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: name == "SASL2", StepTimeout: 5 * time.Second})
				if err != nil || session.State()&(xmpp.Authn|xmpp.Ready) != xmpp.Authn|xmpp.Ready {
					t.Errorf("%s, %.4q, %d octets at once: %v", name, space, most, err)
				}
				heard()
			}
		}
	}
}

// TestCuts: the first read may end anywhere in the header and the features.
func TestCuts(t *testing.T) {
	begin := "\n" + streamHeader + "\n" + features("\n", mechanisms, " <a xmlns='urn:a' b='>'/>")
	for first := 1; first < len(begin); first++ {
		conn, heard := scripted(t, turn{streamEnd, begin}, turn{"</auth>", success1}, turn{streamEnd, streamHeader + features()})
		if _, _, err := negotiate(t.Context(), &pieces{Conn: conn, first: first}, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), StepTimeout: 5 * time.Second}); err != nil {
			t.Errorf("%d octets first: %v", first, err)
		}
		heard()
	}
}

// TestRestrictedXML: the error names what XMPP does not have (RFC 6120 s11.1), wherever
// that stands, and however the octets are cut. The end of a comment may be missing.
func TestRestrictedXML(t *testing.T) {
	bare := strings.TrimPrefix(streamHeader, "<?xml version='1.0'?>")
	for _, row := range []struct{ begin, what string }{
		{streamHeader + "<!-- a -->", "a comment"},
		{streamHeader + "<stream:features><!-- a", "a comment"},
		{streamHeader + "<stream:features><mechanisms" + ns1 + "><!--", "a comment"},
		{"<!-- a -->" + streamHeader, "a comment"},
		{streamHeader + "<?php a ?>", "a processing instruction"},
		{streamHeader + "<stream:features><?xml version='1.0'?>", "a processing instruction"},
		{"<?php?>" + streamHeader, "a processing instruction"},
		{"<!DOCTYPE html>", "a document type declaration"},
		{streamHeader + "<stream:features><!ENTITY", "a document type declaration"},
		{bare + "<![CDATX[", "a document type declaration"},
	} {
		for _, most := range []int{0, 1} {
			conn, heard := scripted(t, turn{streamEnd, row.begin})
			_, _, err := negotiate(t.Context(), &pieces{Conn: conn, most: most}, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), StepTimeout: 5 * time.Second})
			if !errors.Is(err, sasl.ErrProtocol) || !strings.HasPrefix(err.Error(), "protocol error: the peer sent "+row.what+", which XMPP does not have (step") {
				t.Errorf("%s: %v", row.begin, err)
			}
			heard()
		}
	}
}

// TestCDATA: XMPP has CDATA sections, which are text.
func TestCDATA(t *testing.T) {
	conn, heard := scripted(t, turn{streamEnd, streamHeader + features("<a xmlns='urn:a'><![CDATA[<!-- ]> ]]]></a>\n", "<mechanisms"+ns1+"><mechanism><![CDATA[PLAIN]]></mechanism></mechanisms>")},
		turn{"</auth>", success1}, turn{streamEnd, streamHeader + features()})
	if _, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}); err != nil {
		t.Error(err)
	}
	heard()
}

// TestNoSASL shows that the error for a server without SASL has the offered features.
func TestNoSASL(t *testing.T) {
	many := ""
	for i := range 40 {
		many += "<a" + strings.Repeat("b", i) + " xmlns='urn:a'/>"
	}
	for _, row := range []struct {
		offered, list string
		class         sasl.Class
	}{
		{"<register xmlns='http://jabber.org/features/iq-register'/>\n" + offersBind, "register, bind", sasl.ErrSecurity},
		{offersBind, "bind", sasl.ErrSecurity},
		{"", "nothing", sasl.ErrSecurity},
		{"<x:register xmlns:x='http://jabber.org/features/iq-register'><x:a/></x:register>", "register", sasl.ErrSecurity},
		{"<a xmlns='urn:a' b='>' c=\"/\"><b><c/></b></a><a xmlns='urn:b'/>", "a", sasl.ErrSecurity},
		{offersTLS, "STARTTLS", sasl.ErrPolicy},
		{many, "abbbbbbbbbbbbbbb", sasl.ErrSecurity}, // the last of sixteen
	} {
		conn, heard := scripted(t, turn{streamEnd, streamHeader + features(row.offered)})
		_, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}, xmpp.BindResource())
		if sasl.ClassOf(err) != row.class || !strings.Contains(err.Error(), "the server offers no SASL") || !strings.Contains(err.Error(), row.list+" (step") && row.class == sasl.ErrSecurity {
			t.Errorf("%s: %v", row.offered, err)
		}
		if said := heard(); strings.Contains(said, "<iq") || strings.Contains(said, "<auth") {
			t.Errorf("%s: the client said %s", row.offered, said)
		}
	}
}

// TestLowerCase: the names of mechanisms are found in any case, and an empty list of
// SASL2 does not hide that of SASL.
func TestLowerCase(t *testing.T) {
	for name, turns := range map[string][]turn{
		"SASL":        {{streamEnd, streamHeader + features("<mechanisms"+ns1+"><mechanism>\n plain </mechanism></mechanisms>")}, {" mechanism='PLAIN'>AHVzZXIAcGVuY2ls</auth>", success1}, {streamEnd, streamHeader + features()}},
		"SASL2":       {{streamEnd, streamHeader + features("<authentication"+ns2+"><mechanism>Plain</mechanism></authentication>")}, {"</authenticate>", success2(identified) + features()}},
		"empty SASL2": {{streamEnd, streamHeader + features("<authentication"+ns2+"/>", mechanisms)}, {"</auth>", success1}, {streamEnd, streamHeader + features()}},
	} {
		conn, heard := scripted(t, turns...)
		_, outcome, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true})
		if err != nil || outcome.Mechanism != "PLAIN" || outcome.SASL2 != (name == "SASL2") {
			t.Errorf("%s: %+v, %v", name, outcome, err)
		}
		heard()
	}
}

// TestSpacesOfClients: a server takes white space between the elements of a client, and
// elements in any pieces.
func TestSpacesOfClients(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for _, most := range []int{0, 1, 5} {
		near, far := sasltest.Pair(t)
		done := make(chan accepted, 1)
		go func() {
			_, who, err := server.domain.Accept(t.Context(), &pieces{Conn: far, most: most})
			done <- accepted{who.Address, who.Result, err}
		}()
		c := newTalk(near)
		c.says(t, "\n<?xml version='1.0'?>\n"+openStream+"\n  ")
		c.hears(t, "</stream:features>")
		c.says(t, "\n"+startTLSRequest+"\n")
		c.hears(t, proceed)
		secured := newTalk(tls.Client(near, &tls.Config{RootCAs: server.pool, ServerName: host}))
		secured.says(t, openStream+"\r\n")
		secured.hears(t, "</stream:features>")
		secured.says(t, " \t<auth"+ns1+" mechanism='PLAIN'>\nAHVzZXIAcGVuY2ls </auth>\n \n"+openStream+" <iq type='set' id='1'>\n<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\n<resource> r </resource></bind>\n</iq>")
		secured.hears(t, "user@example.org/r</jid></bind></iq>")
		if at := <-done; at.err != nil || at.address.String() != address+"/r" {
			t.Errorf("%d octets at once: %+v", most, at)
		}
	}
}

// TestDataAfterProceed: a server does not take for TLS what a client sent before it.
func TestDataAfterProceed(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for name, injected := range map[string]string{
		"an authentication": "<auth" + ns1 + " mechanism='PLAIN'>AHVzZXIAcGVuY2ls</auth>",
		"a stream":          openStream + "<auth" + ns1 + " mechanism='PLAIN'>AHVzZXIAcGVuY2ls</auth>",
	} {
		for _, most := range []int{0, 1} {
			near, far := sasltest.Pair(t)
			done := make(chan error, 1)
			go func() {
				_, _, err := server.domain.Accept(t.Context(), &pieces{Conn: far, most: most})
				done <- err
			}()
			c := newTalk(near)
			c.says(t, openStream)
			c.hears(t, "</stream:features>")
			c.says(t, startTLSRequest+injected)
			if err := <-done; !errors.Is(err, sasl.ErrProtocol) || !strings.Contains(err.Error(), "does not look like a TLS handshake") {
				t.Errorf("%s, %d octets at once: %v", name, most, err)
			}
		}
	}
}

// TestSlowGreeting: a server that takes its time is waited for.
func TestSlowGreeting(t *testing.T) {
	near, far := sasltest.Pair(t)
	go func() {
		time.Sleep(200 * time.Millisecond)
		for _, b := range []byte("\n\n" + streamHeader) {
			far.Write([]byte{b})
			time.Sleep(time.Millisecond)
		}
		far.Write([]byte("\n" + features(offersBind)))
	}()
	login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), TLS: saslxmpp.NoTLS}
	if _, _, err := login.NewSession(t.Context(), jid.MustParse(address), near); err == nil || !strings.Contains(err.Error(), "the server offers: bind") {
		t.Error(err)
	}
}
