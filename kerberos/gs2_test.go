package saslkerberos

import (
	"context"
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestGS2Header: the first message and the channel binding of the context are those
// of RFC 5801 s4 and s5, or OpenLDAP's.
func TestGS2Header(t *testing.T) {
	binding := sasl.ChannelBinding{Type: "tls-exporter", Data: []byte("data")}
	for name, row := range map[string]struct {
		terms           sasl.Terms
		authzid         string
		header, context string
	}{
		"unbound":        {sasl.Terms{GS2Flag: 'n', Server: secure.Server}, "", "n,,", "n,,"},
		"not offered":    {sasl.Terms{GS2Flag: 'y', Server: secure.Server}, "", "y,,", "y,,"},
		"bound":          {sasl.Terms{GS2Flag: 'p', Binding: binding, Server: secure.Server}, "", "p=tls-exporter,,", "p=tls-exporter,,data"},
		"authzid":        {sasl.Terms{GS2Flag: 'n', Server: secure.Server}, "a=b,c", "n,a=a=3Db=2Cc,", "n,a=a=3Db=2Cc,"},
		"OpenLDAP's own": {sasl.Terms{GS2Flag: 'p', Binding: binding, Server: named("ldap")}, "", "p=ldap,,", "p=ldap,,tls-exporter:data"},
	} {
		var got Request
		m := GS2KRB5Plus(func(ctx context.Context, r Request) (SecurityContext, error) {
			got = r
			return initiate("alice", toyKey)(ctx, r)
		}, &Options{Authzid: row.authzid})
		x := m.New(row.terms)
		out, done, err := x.Step(t.Context(), nil)
		if err != nil || done {
			t.Fatal(done, err)
		}
		message, ok := strings.CutPrefix(string(out), row.header)
		server := &toy{key: sasl.NewSecret(toyKey), binding: []byte(row.context)}
		proof, err := server.accept(framed([]byte(message)))
		if !ok || string(got.ChannelBinding) != row.context || got.Integrity || got.Confidentiality || err != nil {
			t.Errorf("%s: %q, %+v, %v", name, out, got, err)
		}
		out, done, err = x.Step(t.Context(), proof)
		if out == nil || len(out) > 0 || !done || err != nil {
			t.Errorf("%s: %q, %v, %v", name, out, done, err)
		}
		if id := x.Identity(); id != (sasl.Identity{Username: "alice", Authzid: row.authzid}) {
			t.Errorf("%s: %+v", name, id)
		}
		if _, _, err := x.Step(t.Context(), proof); !errors.Is(err, sasl.ErrProtocol) {
			t.Errorf("%s: a second proof: %v", name, err)
		}
	}
}

// named returns a server with one name for every type of channel binding.
func named(name string) sasl.ServerInfo {
	server := secure.Server
	server.BindingName = name
	return server
}

func TestGS2Proof(t *testing.T) {
	x := GS2KRB5(initiate("alice", toyKey), nil).New(secure)
	if _, _, err := x.Step(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, done, err := x.Step(t.Context(), []byte("another proof")); done || !errors.Is(err, sasl.ErrSecurity) {
		t.Errorf("%v, %v", done, err)
	}
}

// TestMechanismOrder: what promises a channel binding comes first.
func TestMechanismOrder(t *testing.T) {
	for authzid, want := range map[string]string{
		"":      "GSSAPI-PLUS GS2-KRB5-PLUS GSS-SPNEGO-PLUS GSSAPI GSS-SPNEGO GS2-KRB5",
		"u:bob": "GSSAPI-PLUS GS2-KRB5-PLUS GSSAPI GS2-KRB5",
	} {
		var names []string
		for _, m := range Mechanisms(nil, &Options{Authzid: authzid}) {
			names = append(names, m.Name())
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%q: %s, want %s", authzid, got, want)
		}
	}
}

// TestEarlyChallenge: a server that speaks first is refused before there is a ticket.
func TestEarlyChallenge(t *testing.T) {
	asked := 0
	initiator := func(context.Context, Request) (SecurityContext, error) { asked++; return &toy{}, nil }
	for _, m := range []sasl.Mechanism{GSSAPI(initiator, nil), SPNEGO(initiator, nil), GS2KRB5(initiator, nil)} {
		if out, done, err := m.New(secure).Step(t.Context(), []byte("x")); out != nil || done || !errors.Is(err, sasl.ErrProtocol) || asked != 0 {
			t.Errorf("%s: %q, %v, %v, asked %d times", m.Name(), out, done, err, asked)
		}
	}
}
