package saslxmpp_test

import (
	"context"
	"encoding/xml"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// TestOffered: Offered gets the list of the profile in use, before anything of the
// login is sent.
func TestOffered(t *testing.T) {
	fast := "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism>" +
		"<inline><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast></inline></authentication>"
	bindings := "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/><channel-binding type='x'/></sasl-channel-binding>"
	for _, row := range []struct {
		offered           string
		secure            bool
		mechanisms, token []string
		bindings          []string
	}{
		{features(mechanisms, fast, bindings), true, []string{"SCRAM-SHA-1", "PLAIN"}, []string{"HT-SHA-256-NONE"}, []string{"tls-exporter", "x"}},
		{features(mechanisms, fast), false, []string{"PLAIN"}, nil, nil},
	} {
		var infos []sasl.ServerInfo
		conn, heard := scripted(t, turn{streamEnd, streamHeader + row.offered})
		login := &saslxmpp.Login{Client: insecure(sasl.Anonymous("")), Secure: row.secure, EnforcesBinding: row.secure, Offered: func(info sasl.ServerInfo) { infos = append(infos, info) }}
		// Offered does not get the list for tokens: PassedOver has it.
		login.UserAgent.ID = "d4565fa7-4d72-4749-b3d3-740edbf87770"
		login.Client.Binding = sasl.RequireBinding
		login.Client.Tokens = &sasl.Tokens{Store: new(sasl.MemoryTokens), Username: "user", Mechanisms: []string{"HT-SHA-256-NONE", "HT-SHA-256-EXPR"}}
		_, _, err := negotiate(t.Context(), conn, login)
		var failed *sasl.LoginError
		if !errors.Is(err, sasl.ErrPolicy) || !errors.As(err, &failed) {
			t.Fatal(err)
		}
		var token []string
		for _, p := range failed.PassedOver {
			if strings.HasPrefix(p.Mechanism, "HT-") {
				token = append(token, p.Mechanism)
			}
		}
		if !slices.Equal(token, row.token) {
			t.Errorf("%q for tokens, want %q", token, row.token)
		}
		if said := heard(); strings.Contains(said, "<auth") {
			t.Errorf("the client said %s", said)
		}
		if len(infos) != 1 {
			t.Fatalf("Offered was called %d times", len(infos))
		}
		info := infos[0]
		if !slices.Equal(info.Mechanisms, row.mechanisms) || !slices.Equal(info.AdvertisedBindings, row.bindings) {
			t.Errorf("%v, %v", info.Mechanisms, info.AdvertisedBindings)
		}
		if info.Secure != row.secure || info.EnforcesBinding != row.secure || info.ProfileBinding != "" || info.Service != "xmpp" || info.Host != host || !info.Downgrade || info.Port == 0 {
			t.Errorf("%+v", info)
		}
	}
}

// TestConfiguration: an error of the configuration comes before anything is sent.
func TestConfiguration(t *testing.T) {
	tokens := insecure(sasl.Plain(credentials))
	tokens.Tokens = &sasl.Tokens{Store: new(sasl.MemoryTokens), Username: "user"}
	for name, login := range map[string]*saslxmpp.Login{
		"tokens without the id of a user agent": {Client: tokens, Secure: true},
		"tokens with an id of another kind":     {Client: tokens, Secure: true, UserAgent: saslxmpp.UserAgent{ID: "phone"}},
		"no Client":                             {Secure: true},
		"an inline feature that is not XML":     {Client: insecure(sasl.Plain(credentials)), Secure: true, Inline: []saslxmpp.Inline{{Space: "urn:other", Request: make(chan int)}}},
	} {
		conn, heard := scripted(t, turn{streamEnd, streamHeader + features(sasl2)})
		if _, _, err := negotiate(t.Context(), conn, login); !errors.Is(err, sasl.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
		if said := heard(); strings.Contains(said, "<auth") {
			t.Errorf("%s: the client said %s", name, said)
		}
	}
}

// TestExchange: invalid answers in both profiles. The transcripts have the answers
// that the profiles share.
func TestExchange(t *testing.T) {

	for name, row := range map[string]struct {
		sasl2  bool
		answer string
		class  sasl.Class
	}{
		"success of the other profile":      {false, success2(identified), sasl.ErrProtocol},
		"success of the other profile, too": {true, "<success" + ns1 + "/>", sasl.ErrProtocol},
		"elements in success":               {false, "<success" + ns1 + "><a/></success>", sasl.ErrProtocol},
		"success without a namespace":       {false, "<success/>", sasl.ErrProtocol},
		"features for success":              {false, features(), sasl.ErrProtocol},
		"text before the answer":            {false, "text<success" + ns1 + "/>", sasl.ErrProtocol},
		"comment":                           {true, "<!-- -->" + success2(identified), sasl.ErrProtocol},
		"comment in it":                     {true, success2("<!-- -->" + identified), sasl.ErrProtocol},
		"entity":                            {true, success2("<authorization-identifier>&user;@example.org</authorization-identifier>"), sasl.ErrProtocol},
		"challenge to PLAIN":                {true, "<challenge" + ns2 + ">YWJj</challenge>", sasl.ErrProtocol},
		"elements in a challenge":           {true, "<challenge" + ns2 + "><a/></challenge>", sasl.ErrProtocol},
		"the end of the stream":             {true, "</stream:stream>", sasl.ErrConnection},
		"stream error":                      {true, "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>too &#x9b;many</text></stream:error></stream:stream>", sasl.ErrConnection},
		"stream error of its own":           {true, "<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><own xmlns='urn:own'/></stream:error></stream:stream>", sasl.ErrConnection},
		"nothing after it was bound":        {true, success2(boundInline) + "<message xmlns='jabber:client'/>", sasl.ErrProtocol},
	} {
		list, end := mechanisms, "</auth>"
		if row.sasl2 {
			list, end = sasl2, "</authenticate>"
		}
		conn, heard := scripted(t, turn{streamEnd, streamHeader + features(list)}, turn{end, row.answer}, turn{"/>", "<failure" + ns2 + "/>"}) // after <abort/>
		login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true, BindTag: "tag"}
		session, _, err := negotiate(t.Context(), conn, login)
		if sasl.ClassOf(err) != row.class || session.State()&xmpp.Ready != 0 || strings.ContainsAny(err.Error(), "\u009b") {
			t.Errorf("%s: %v, want %s", name, err, row.class)
		}
		if name == "stream error" && !strings.Contains(err.Error(), "policy-violation: too") {
			t.Errorf("%s: %v", name, err)
		}
		heard()
	}
}

// TestReady: the limits on a server's data end with the negotiation.
func TestReady(t *testing.T) {
	const count = 3 << 10
	messages := strings.Repeat("<message><body>"+strings.Repeat("a", 1<<10)+"</body></message>", count)
	conn, heard := scripted(t, turn{streamEnd, streamHeader + features(sasl2)}, turn{"</authenticate>", success2(identified) + features() + messages})
	session, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true})
	if err != nil {
		t.Fatal(err)
	}
	defer heard()
	seen := 0
	session.Serve(xmpp.HandlerFunc(func(r xmlstream.TokenReadEncoder, start *xml.StartElement) error {
		if seen++; seen == count {
			conn.Close()
		}
		return nil
	}))
	if seen != count {
		t.Errorf("%d messages of %d", seen, count)
	}
}

// TestDialNobody: an address without a domain is an ErrConfig, and nothing is dialled.
func TestDialNobody(t *testing.T) {
	login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Address: "127.0.0.1:1", DialContext: func(context.Context, string, string) (net.Conn, error) {
		t.Error("the client dials")
		return nil, errors.New("not here")
	}}
	if _, _, err := login.Dial(t.Context(), jid.JID{}); sasl.ClassOf(err) != sasl.ErrConfig {
		t.Error(err)
	}
}
