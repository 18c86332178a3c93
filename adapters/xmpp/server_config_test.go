package saslxmpp_test

import (
	"context"
	"crypto/tls"
	"errors"
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

// TestServerConfig: each fault of the configuration is an error before anything is
// read.
func TestServerConfig(t *testing.T) {
	server := sasltest.AllMechanisms()
	for name, row := range map[string]struct {
		domain   saslxmpp.Domain
		features []xmpp.StreamFeature
	}{
		"no Server":        {saslxmpp.Domain{Name: jid.MustParse(host)}, nil},
		"no Name":          {saslxmpp.Domain{Server: server}, nil},
		"a user":           {saslxmpp.Domain{Server: server, Name: jid.MustParse("user@" + host)}, nil},
		"a resource":       {saslxmpp.Domain{Server: server, Name: jid.MustParse(host + "/r")}, nil},
		"its own features": {saslxmpp.Domain{Server: server, Name: jid.MustParse(host)}, []xmpp.StreamFeature{xmpp.BindResource()}},
	} {
		_, far := sasltest.Pair(t)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if _, _, err := row.domain.Accept(ctx, far, row.features...); sasl.ClassOf(err) != sasl.ErrConfig {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

// TestServerBindRequests: an empty resource counts as none, and a request that is not
// for a resource is refused (RFC 6120 s7.6).
func TestServerBindRequests(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for request, valid := range map[string]bool{
		"type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource/></bind></iq>": true,
		"type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>":                  true,
		"type='get' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>":                  false,
		"type='set' id='1'><query xmlns='jabber:iq:auth'/></iq>":                                   false,
	} {
		talk, served := server.secured(t, host)
		talk.says(t, "<authenticate"+ns2+" mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response></authenticate>")
		talk.hears(t, "</stream:features>")
		talk.says(t, "<iq xmlns='jabber:client' "+request)
		switch got, at := talk.waits("</iq>"), <-served; {
		case valid && (at.err != nil || len(at.address.Resourcepart()) < 20 || !strings.Contains(got, "<jid>user@example.org/")):
			t.Errorf("%s: %s, %+v", request, got, at)
		case !valid && (!errors.Is(at.err, sasl.ErrProtocol) || at.address.String() != ""):
			t.Errorf("%s: %s, %+v", request, got, at)
		}
	}
}

// TestFeaturesWithoutServer: a Domain that Accept would refuse causes no panic, and
// lists nothing.
func TestFeaturesWithoutServer(t *testing.T) {
	near, far := sasltest.Pair(t)
	done := make(chan error, 1)
	go func() {
		domain := &saslxmpp.Domain{Name: jid.MustParse(host)}
		_, err := xmpp.ReceiveClientSession(t.Context(), jid.MustParse(host), far, domain.Features(far, nil)...)
		done <- err
	}()
	talk := newTalk(near)
	talk.says(t, openStream)
	if got := talk.hears(t, "</stream:features>"); strings.Contains(got, "<mechanism") {
		t.Error(got)
	}
	near.Close()
	if err := <-done; err == nil {
		t.Error("no error")
	}
}

// TestAddressOfAlone: with an AddressOf, whose addresses need not be the users'
// names, an authzid is refused unless Authorize allows it.
func TestAddressOfAlone(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	server.domain.AddressOf = func(sasl.Result) (jid.JID, error) { return jid.MustParse("other@example.org"), nil }
	talk, _ := server.secured(t, host)
	talk.says(t, "<auth"+ns1+" mechanism='PLAIN'>dXNlckBleGFtcGxlLm9yZwB1c2VyAHBlbmNpbA==</auth>") // user@example.org, user, pencil
	if got := talk.hears(t, ">") + talk.hears(t, ">"); !strings.Contains(got, "<invalid-authzid"+ns1+"/>") {
		t.Error(got)
	}
}

// TestServerCutInExchange: a client that leaves in an exchange is gone, in both
// profiles, and is not a client with invalid XMPP.
func TestServerCutInExchange(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for _, begin := range []string{
		"<auth" + ns1 + " mechanism='SCRAM-SHA-1'>biwsbj11LHI9YWFhYWFhYWE=</auth>",
		"<authenticate" + ns2 + " mechanism='SCRAM-SHA-1'><initial-response>biwsbj11LHI9YWFhYWFhYWE=</initial-response></authenticate>",
	} {
		talk, served := server.secured(t, host)
		talk.says(t, begin)
		talk.hears(t, "</challenge>")
		talk.conn.Close()
		if at := <-served; sasl.ClassOf(at.err) != sasl.ErrConnection {
			t.Errorf("%.20s: %v", begin, at.err)
		}
	}
}

// TestServerEmptyAuth: <auth/> without a text has no initial response, and one with
// "=" has an empty one (RFC 6120 s6.4.2).
func TestServerEmptyAuth(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	talk, _ := server.secured(t, host)
	talk.says(t, "<auth"+ns1+" mechanism='SCRAM-SHA-1'/>")
	if got := talk.hears(t, ">"); got != "<challenge"+ns1+"/>" {
		t.Error(got)
	}
	talk.says(t, "<abort"+ns1+"/>")
	talk.hears(t, "</failure>")
	talk.says(t, "<auth"+ns1+" mechanism='SCRAM-SHA-1'>=</auth>")
	if got := talk.hears(t, "</challenge>"); got != "<challenge"+ns1+">ZT1vdGhlci1lcnJvcg==</challenge>" { // e=other-error
		t.Error(got)
	}
}

// TestAddressOfNobody: the address is asked for once a client has proved itself, and
// not before.
func TestAddressOfNobody(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	asked := 0
	server.domain.AddressOf = func(sasl.Result) (jid.JID, error) { asked++; return jid.MustParse(address), nil }
	talk, served := server.secured(t, host)
	talk.says(t, "<auth"+ns1+" mechanism='SCRAM-SHA-1'>biwsbj11c2VyLHI9YWFhYWFhYWE=</auth>") // n,,n=user,r=aaaaaaaa
	talk.hears(t, "</challenge>")
	talk.says(t, "<response"+ns1+">Yz1iaXdzLHI9YWFhYWFhYWEscD1BQUFB</response>") // another nonce
	talk.hears(t, "</challenge>")                                                // e=other-error
	talk.says(t, "<response"+ns1+"/>")
	talk.hears(t, "</failure>")
	talk.conn.Close()
	if <-served; asked != 0 {
		t.Errorf("AddressOf was called %d times", asked)
	}
}

// TestRefusalText: the text of a refusal is in the namespace of its profile (RFC 6120
// s6.4.5, XEP-0388 s2.6.1).
func TestRefusalText(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for message, want := range map[string]string{
		"<auth" + ns1 + " mechanism='PLAIN'>AHVzZXIAcGVuY2ls</auth>":                                                      "<failure" + ns1 + "><invalid-authzid" + ns1 + "/><text" + ns1 + ">The stream is from somebody else</text></failure>",
		"<authenticate" + ns2 + " mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response></authenticate>": "<failure" + ns2 + "><invalid-authzid" + ns1 + "/><text>The stream is from somebody else</text></failure>",
	} {
		talk, _ := server.secured(t, host+"' from='root@example.org")
		talk.says(t, message)
		if got := talk.hears(t, "</failure>"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestServerLists: SASL2 is offered if there is a mechanism, and FAST (XEP-0484 s3.1)
// if there are tokens and they last.
func TestServerLists(t *testing.T) {
	tokens := &sasl.ServerTokens{Store: new(sasl.MemoryTokens), Mechanisms: []string{"HT-SHA-256-NONE"}}
	none := &sasl.ServerTokens{Store: new(sasl.MemoryTokens), Mechanisms: []string{}}
	for name, row := range map[string]struct {
		mechanisms  bool
		tokens      *sasl.ServerTokens
		lifetime    time.Duration
		sasl2, fast bool
	}{
		"nothing":                    {false, nil, time.Hour, false, false},
		"mechanisms":                 {true, nil, time.Hour, true, false},
		"tokens that are not issued": {true, tokens, 0, true, false},
		"no mechanisms for tokens":   {true, none, time.Hour, true, false},
		"tokens":                     {true, tokens, time.Hour, true, true},
	} {
		auth := &sasl.Server{Tokens: row.tokens}
		if row.mechanisms {
			auth.Mechanisms = sasltest.AllMechanisms().Mechanisms
		}
		server := serve(t, auth)
		server.domain.TokenLifetime = row.lifetime
		conn, _ := server.connect(t, true)
		secured, err := transport.Handshake(t.Context(), conn, host, "", &tls.Config{RootCAs: server.pool})
		if err != nil {
			t.Fatal(err)
		}
		talk := newTalk(secured)
		talk.says(t, openStream)
		got := talk.hears(t, "</stream:features>")
		if strings.Contains(got, "<authentication") != row.sasl2 || strings.Contains(got, "<fast") != row.fast {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestServerOtherProfile: an exchange does not change its profile.
func TestServerOtherProfile(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	talk, served := server.secured(t, host)
	talk.says(t, "<authenticate"+ns2+" mechanism='PLAIN'/>")
	talk.hears(t, "<challenge"+ns2+"/>")
	talk.says(t, "<response"+ns1+">AHVzZXIAcGVuY2ls</response>")
	if at := <-served; sasl.ClassOf(at.err) != sasl.ErrProtocol {
		t.Errorf("%+v", at)
	}
}

// empty is a mechanism whose data with success is empty.
type empty struct{}

func (empty) Name() string                       { return "X-EMPTY" }
func (empty) New(sasl.ServerTerms) sasl.Exchange { return empty{} }
func (empty) Identity() sasl.Identity            { return sasl.Identity{Username: "user"} }
func (empty) Step(context.Context, []byte) (out []byte, done bool, err error) {
	return []byte{}, true, nil
}

// TestServerEmptySuccess: empty data with success is "=", and absent data is nothing
// (RFC 6120 s6.4.6).
func TestServerEmptySuccess(t *testing.T) {
	server := serve(t, &sasl.Server{Mechanisms: []sasl.ServerMechanism{empty{}}})
	talk, _ := server.secured(t, host)
	talk.says(t, "<auth"+ns1+" mechanism='X-EMPTY'>=</auth>")
	if got := talk.hears(t, "</success>"); got != "<success"+ns1+">=</success>" {
		t.Error(got)
	}
}
