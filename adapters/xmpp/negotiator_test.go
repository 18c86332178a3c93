package saslxmpp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

const (
	streamEnd   = "version='1.0' to='example.org' from='user@example.org'>"
	mechanisms  = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"
	sasl2       = "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism><inline><bind xmlns='urn:xmpp:bind:0'/><other xmlns='urn:other'/></inline></authentication>"
	identified  = "<authorization-identifier>user@example.org</authorization-identifier>"
	boundInline = "<authorization-identifier>user@example.org/tag.1</authorization-identifier><bound xmlns='urn:xmpp:bind:0'><metadata xmlns='urn:xmpp:mam:2'/></bound><answer xmlns='urn:other' a='1'>text</answer>"
)

func features(list ...string) string {
	return "<stream:features>" + strings.Join(list, "") + "</stream:features>"
}

func success2(children string) string {
	return "<success xmlns='urn:xmpp:sasl:2'>" + children + "</success>"
}

// turn is a text for which a server waits, and its answer.
type turn struct{ hears, says string }

// scripted returns the client's end of a connection to a server that follows turns,
// and a function that returns all that the server has read.
func scripted(t testing.TB, turns ...turn) (net.Conn, func() string) {
	t.Helper()
	near, far := sasltest.Pair(t)
	heard := make(chan string, 1)
	go func() {
		var all strings.Builder
		defer func() { heard <- all.String() }()
		c := newTalk(far)
		for _, turn := range turns {
			for from := all.Len(); !strings.HasSuffix(all.String()[from:], turn.hears); {
				b, err := c.reader.ReadByte()
				if err != nil {
					far.Close() // the client waits for an answer that does not come
					return
				}
				all.WriteByte(b)
			}
			io.WriteString(far, turn.says)
		}
		io.Copy(&all, c.reader)
		far.Close()
	}()
	return near, func() string {
		near.Close()
		return <-heard
	}
}

// insecure allows every mechanism, because these servers have no TLS.
func insecure(m ...sasl.Mechanism) *sasl.Client {
	return &sasl.Client{Mechanisms: m, Allow: func(sasl.Candidate) error { return nil }}
}

func negotiate(ctx context.Context, conn net.Conn, login *saslxmpp.Login, more ...xmpp.StreamFeature) (*xmpp.Session, saslxmpp.Outcome, error) {
	var outcome saslxmpp.Outcome
	session, err := xmpp.NewSession(ctx, jid.MustParse(host), jid.MustParse(address), conn, 0, login.Negotiator(&outcome, more...))
	return session, outcome, err
}

// TestNeverReadyUnauthenticated: in all these cases the library takes a session for
// ready although the client has not authenticated.
func TestNeverReadyUnauthenticated(t *testing.T) {
	for name, offered := range map[string]string{
		"nothing":       features(),
		"bindings only": features("<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>"),
	} {
		conn, heard := scripted(t, turn{streamEnd, streamHeader + offered})
		_, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}, xmpp.BindResource())
		if !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("%s: %v", name, err)
		}
		heard()
		// The library alone.
		conn, heard = scripted(t, turn{streamEnd, streamHeader + offered})
		session, err := xmpp.NewClientSession(t.Context(), jid.MustParse(address), conn, append((&saslxmpp.Login{}).Features(nil), xmpp.BindResource())...)
		if err != nil || session.State()&xmpp.Authn != 0 {
			t.Errorf("%s: the library sees to it: %v", name, err)
		}
		heard()
	}
}

// TestHostileStreams: a peer may be as hostile before the exchange as in it.
func TestHostileStreams(t *testing.T) {
	for name, row := range map[string]struct {
		says  string
		class sasl.Class
	}{
		"no XML":                        {"220 mail.example.org ESMTP", sasl.ErrProtocol},
		"another element":               {"<html><body>", sasl.ErrProtocol},
		"another namespace":             {"<stream xmlns='jabber:client'>", sasl.ErrProtocol},
		"another domain":                {strings.Replace(streamHeader, host, "example.net", 1), sasl.ErrProtocol},
		"document type":                 {"<!DOCTYPE stream [<!ENTITY a 'b'>]>" + streamHeader, sasl.ErrProtocol},
		"features of another namespace": {streamHeader + "<features xmlns='jabber:client'/>", sasl.ErrProtocol},
		"text in features":              {streamHeader + features("text", mechanisms), sasl.ErrProtocol},
		"text in mechanisms":            {streamHeader + features("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>PLAIN<mechanism/></mechanisms>"), sasl.ErrProtocol},
		"nested mechanisms":             {streamHeader + "<stream:features>" + strings.Repeat("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>", 20), sasl.ErrProtocol},
		"many mechanisms":               {streamHeader + features("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"+strings.Repeat("<mechanism>A</mechanism>", 1000)+"</mechanisms>"), sasl.ErrProtocol},
		"no mechanism":                  {streamHeader + features("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"), sasl.ErrPolicy},
		"mechanisms that are none":      {streamHeader + features("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>&#x9b;31m</mechanism></mechanisms>"), sasl.ErrPolicy},
		"another element of SASL":       {streamHeader + features(mechanisms, "<other xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"), sasl.ErrPolicy},
		"another element of SASL2":      {streamHeader + features("<authentication xmlns='urn:xmpp:sasl:2'/>", "<other xmlns='urn:xmpp:sasl:2'/>"), sasl.ErrPolicy},
		"unknown features":              {streamHeader + features("<a xmlns='urn:a'/>"), sasl.ErrSecurity},
		"endless header":                {"<stream:stream a='" + strings.Repeat("a", 3<<20), sasl.ErrProtocol},
		"endless features":              {streamHeader + "<stream:features>" + strings.Repeat("<a xmlns='urn:a'/>", 200000), sasl.ErrProtocol},
		"stream error":                  {streamHeader + "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>\x1b[31mno</text></stream:error>", sasl.ErrProtocol}, // a control character
		"cut":                           {streamHeader + "</stream:stream>", sasl.ErrProtocol},
	} {
		conn, heard := scripted(t, turn{streamEnd, row.says})
		_, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: strings.Contains(name, "SASL2")})
		if sasl.ClassOf(err) != row.class || strings.ContainsAny(fmt.Sprint(err), "\x1b\u009b") {
			t.Errorf("%s: %v, want %s", name, err, row.class)
		}
		if said := heard(); strings.Contains(said, "<auth") {
			t.Errorf("%s: the client said %s", name, said)
		}
	}
}

// TestSASL2IsPreferred: SASL2 is used if it may be used, never at random.
func TestSASL2IsPreferred(t *testing.T) {
	for range 20 {
		for _, list := range []string{mechanisms + sasl2, sasl2 + mechanisms} {
			conn, heard := scripted(t, turn{streamEnd, streamHeader + features(list)}, turn{"</authenticate>", success2(identified) + features()})
			session, outcome, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true})
			if err != nil || !outcome.SASL2 || session.State()&(xmpp.Authn|xmpp.Ready) != xmpp.Authn|xmpp.Ready {
				t.Fatalf("%+v, %v", outcome, err)
			}
			if said := heard(); strings.Count(said, "<stream:stream") != 1 || strings.Contains(said, "user-agent") {
				t.Fatalf("the client said %s", said)
			}
		}
	}
}

// TestSASL2NeedsTLS: without TLS the login uses SASL, or fails if the server has
// only SASL2.
func TestSASL2NeedsTLS(t *testing.T) {
	conn, heard := scripted(t, turn{streamEnd, streamHeader + features(mechanisms, sasl2)},
		turn{"</auth>", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"}, turn{streamEnd, streamHeader + features()})
	if _, outcome, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}); err != nil || outcome.SASL2 {
		t.Errorf("%+v, %v", outcome, err)
	}
	if said := heard(); strings.Count(said, "<stream:stream") != 2 || !strings.Contains(said, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHVzZXIAcGVuY2ls</auth>") {
		t.Errorf("the client said %s", said)
	}
	conn, heard = scripted(t, turn{streamEnd, streamHeader + features(sasl2)})
	if _, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}); !errors.Is(err, sasl.ErrPolicy) || !strings.Contains(err.Error(), "TLS") {
		t.Error(err)
	}
	if said := heard(); strings.Contains(said, "<auth") {
		t.Errorf("the client said %s", said)
	}
}
