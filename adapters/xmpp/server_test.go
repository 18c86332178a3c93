package saslxmpp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	foreign "mellium.im/sasl"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

var credentials = sasl.Password("user", "pencil")

// TestEveryMechanism logs in with every mechanism and binding, over both kinds of
// TLS, and compares the round trips and the restarts of the stream.
func TestEveryMechanism(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for _, row := range sasltest.AllLogins(true, address) {
		for _, direct := range []bool{true, false} {
			asked := address
			if row.Want.Mechanism == "ANONYMOUS" {
				asked = host
			}
			outcome, at, streams, err := server.login(t, &saslxmpp.Login{Client: row.Client}, asked, row.Version, direct)
			if err != nil || at.err != nil {
				t.Errorf("%v: %v, server: %v", &row, err, at.err)
				continue
			}
			if !outcome.SASL2 || outcome.Result != row.Want || outcome.Address.String() != row.User+"@"+host {
				t.Errorf("%v: %+v", &row, outcome)
			}
			if at.result.Mechanism != row.Want.Mechanism || at.result.Binding != row.Want.Binding || at.address.Bare().String() != row.User+"@"+host || at.address.Resourcepart() == "" {
				t.Errorf("%v at the server: %+v", &row, at)
			}
			if direct && streams != 1 {
				t.Errorf("%v: %d streams", &row, streams)
			}
		}
	}
}

// TestForeignClient: the library's own client logs in with the profile of RFC 6120.
func TestForeignClient(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for _, m := range []foreign.Mechanism{foreign.Plain, foreign.ScramSha1, foreign.ScramSha256, foreign.ScramSha256Plus} {
		for _, password := range []string{"pencil", "wrong"} {
			conn, served := server.connect(t, false)
			_, err := xmpp.NewClientSession(t.Context(), jid.MustParse(address), conn,
				xmpp.StartTLS(&tls.Config{RootCAs: server.pool, ServerName: host}), xmpp.SASL("", password, m), xmpp.BindResource())
			if password == "wrong" {
				conn.Close()
				if at := <-served; err == nil || at.err == nil {
					t.Errorf("%s with a wrong password: %v, server: %v", m.Name, err, at.err)
				}
				continue
			}
			at := <-served
			if err != nil || at.err != nil || at.result.Mechanism != m.Name || at.address.Bare().String() != address {
				t.Errorf("%s: %v; server: %+v", m.Name, err, at)
			}
		}
	}
}

// TestSomebodyElse: a client authenticates as one user, and its stream is from
// another.
func TestSomebodyElse(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	_, at, _, err := server.login(t, &saslxmpp.Login{Client: &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(credentials)}}}, "root@"+host, tls.VersionTLS13, false)
	if !errors.Is(err, sasl.ErrAuthorization) || at.err == nil {
		t.Errorf("%v; server: %v", err, at.err)
	}
}

// TestRetry: a person types the password again, with both profiles.
func TestRetry(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	right := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}
	wrong := &sasl.Client{
		Mechanisms: sasl.PasswordMechanisms(sasl.Password("user", "wrong")),
		Retry:      func(context.Context, error) *sasl.Client { return right },
	}
	outcome, at, _, err := server.login(t, &saslxmpp.Login{Client: wrong}, address, tls.VersionTLS13, false)
	if err != nil || at.err != nil || outcome.Username != "user" {
		t.Errorf("%+v, %v, %v", outcome, err, at.err)
	}
}

// TestTokens: a token is issued, used, replaced and at last invalidated.
func TestTokens(t *testing.T) {
	auth := sasltest.AllMechanisms()
	issued := new(sasl.MemoryTokens)
	auth.Tokens = &sasl.ServerTokens{Store: issued, Mechanisms: []string{"HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA-256-UNIQ", "HT-SHA-256-NONE"}}
	server := serve(t, auth)
	server.domain.TokenLifetime = time.Hour
	for _, row := range []struct {
		version   uint16
		mechanism string
		binding   string
	}{
		{tls.VersionTLS13, "HT-SHA-256-EXPR", "tls-exporter"}, {tls.VersionTLS13, "HT-SHA-256-ENDP", "tls-server-end-point"},
		{tls.VersionTLS13, "HT-SHA-256-NONE", ""}, {tls.VersionTLS12, "HT-SHA-256-UNIQ", "tls-unique"},
	} {
		store := new(sasl.MemoryTokens)
		client := &sasl.Client{
			Mechanisms: []sasl.Mechanism{sasl.SCRAM(sasl.SHA256, credentials)},
			Tokens:     &sasl.Tokens{Store: store, Username: "user", Mechanisms: []string{row.mechanism}},
		}
		login := &saslxmpp.Login{Client: client, UserAgent: saslxmpp.UserAgent{ID: "d4565fa7-4d72-4749-b3d3-740edbf87770"}}
		last := *client.Tokens
		last.Invalidate = true
		for round, want := range []sasl.Result{
			{Mechanism: "SCRAM-SHA-256", Username: "user", RoundTrips: 2},
			{Mechanism: row.mechanism, Binding: row.binding, Username: "user", RoundTrips: 1},
			{Mechanism: row.mechanism, Binding: row.binding, Username: "user", RoundTrips: 1},
			{Mechanism: "SCRAM-SHA-256", Username: "user", RoundTrips: 2},
		} {
			if round == 2 {
				client.Tokens = &last
			}
			outcome, at, _, err := server.login(t, login, address, row.version, true)
			if err != nil || at.err != nil || outcome.Result != want {
				t.Fatalf("%s, login %d: %+v, %v, server: %v", row.mechanism, round, outcome.Result, err, at.err)
			}
		}
	}
}

// TestServerOffers: the lists and the refusals of a server, with and without TLS.
func TestServerOffers(t *testing.T) {
	auth := sasltest.AllMechanisms()
	auth.Mechanisms = slices.DeleteFunc(auth.Mechanisms, func(m sasl.ServerMechanism) bool { return strings.Contains(m.Name(), "SHA3") })
	server := serve(t, auth)
	offers := func(text string, want bool) (*talk, <-chan accepted) {
		conn, served := server.connect(t, false)
		talk := newTalk(conn)
		talk.says(t, openStream)
		if features := talk.hears(t, "</stream:features>"); strings.Contains(features, text) != want {
			t.Errorf("%s is offered without TLS: %t, %s", text, !want, features)
		}
		return talk, served
	}
	offers("starttls", true)
	offers("mechanism", false)
	offers("channel-binding", false)
	server.domain.TLSConfig = nil // without it, mechanisms that need no TLS
	offers("starttls", false)
	for _, text := range []string{"<mechanism>PLAIN</mechanism>", "urn:xmpp:sasl:2", "urn:xmpp:sasl-cb:0"} {
		offers(text, false)
	}
	talk, served := offers("<mechanism>ANONYMOUS</mechanism>", true)
	auth.Mechanisms = auth.Mechanisms[:1]
	if auth.Mechanisms[0].Name() != "PLAIN" {
		t.Fatal(auth.Mechanisms[0].Name())
	}
	offers("mechanism", false)
	ns := " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
	for _, row := range []struct{ say, condition string }{
		{"<auth" + ns + " mechanism='PLAIN'>AHVzZXIAcGVuY2ls</auth>", "invalid-mechanism"},
		{"<auth" + ns + " mechanism='ANONYMOUS'>!!!!</auth>", "incorrect-encoding"},
		{"<response" + ns + ">AAAA</response>", "malformed-request"},
		{"<abort" + ns + "/>", "aborted"},
		{"<auth" + ns + " mechanism='ANONYMOUS'>////</auth>", "malformed-request"}, // the fifth and last attempt
	} {
		talk.says(t, row.say)
		if got := talk.hears(t, "</failure>"); !strings.Contains(got, "<"+row.condition+ns+"/>") {
			t.Errorf("%s: %s, want %s", row.say, got, row.condition)
		}
	}
	talk.hears(t, "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
	if at := <-served; !errors.Is(at.err, sasl.ErrAuthentication) {
		t.Errorf("after five refusals: %v", at.err)
	}
}
