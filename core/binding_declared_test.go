package sasl_test

import (
	"errors"
	"io"
	"slices"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestPlusByDeclaration: a name that ends in -PLUS promises a binding only if the
// mechanism does not declare something else, on both sides.
func TestPlusByDeclaration(t *testing.T) {
	bound := []sasl.ChannelBinding{exporter}
	for _, row := range []struct {
		binds    sasl.Binds
		bindings []sasl.ChannelBinding
		message  string // of the client; "" = it is not used
		binding  string
		offered  bool
	}{
		{sasl.BindsByName, bound, `p tls-exporter "exporter data" tls-exporter "exporter data"`, "tls-exporter", true},
		{sasl.BindsByName, nil, "", "", false},
		{sasl.BindsByName, []sasl.ChannelBinding{{Type: "tls-exporter"}}, "", "", false},
		{sasl.BindsNever, bound, `n  ""  ""`, "", true},
		{sasl.BindsNever, nil, `n  ""  ""`, "", true},
		{sasl.BindsAlways, bound, `n  ""  ""`, "", true},
		{sasl.BindsAlways, nil, `n  ""  ""`, "", true},
	} {
		m := declared{"X-TEST-PLUS", sasl.Properties{Binds: row.binds}}
		client := sasl.Client{Mechanisms: []sasl.Mechanism{m}}
		session, err := client.Begin(t.Context(), sasl.ServerInfo{Secure: true, Mechanisms: []string{m.name}, Bindings: row.bindings})
		if (err == nil) != (row.message != "") {
			t.Errorf("%d, %v: %v", row.binds, row.bindings, err)
		}
		if err == nil {
			if _, initial, err := session.Start(); string(initial) != row.message || session.Result().Binding != row.binding {
				t.Errorf("%d, %v: %q, %+v, %v", row.binds, row.bindings, initial, session.Result(), err)
			}
		}
		server := sasl.Server{Mechanisms: []sasl.ServerMechanism{declaredServer(m)}}
		if offered := server.Offer(sasl.ConnInfo{Secure: true, Bindings: row.bindings}); slices.Contains(offered, m.name) != row.offered {
			t.Errorf("%d, %v: a server offers %q", row.binds, row.bindings, offered)
		}
	}
}

// declaredServer is the server's side of declared.
type declaredServer declared

func (m declaredServer) Name() string                     { return m.name }
func (m declaredServer) Properties() sasl.Properties      { return m.properties }
func (declaredServer) New(sasl.ServerTerms) sasl.Exchange { return new(declaredExchange) }

// TestPlusThatCannotBeUsed: a mechanism that binds and that this process forbids
// does not count, neither for the flag y nor at a server for its answer to it.
func TestPlusThatCannotBeUsed(t *testing.T) {
	forbidden := declared{"X-TEST-PLUS", sasl.Properties{Unavailable: errors.New("FIPS 140 forbids it")}}
	for _, row := range []struct {
		plus sasl.Mechanism
		flag byte
	}{{forbidden, 'n'}, {declared{name: "X-TEST-PLUS"}, 'y'}} {
		client := sasl.Client{Mechanisms: []sasl.Mechanism{row.plus, sasl.SCRAM(sasl.SHA256, pencil)}}
		session, err := client.Begin(t.Context(), sasl.ServerInfo{Secure: true, Mechanisms: []string{"SCRAM-SHA-256"}, Bindings: []sasl.ChannelBinding{exporter}})
		if err != nil {
			t.Fatal(err)
		}
		if _, initial, err := session.Start(); err != nil || initial[0] != row.flag {
			t.Errorf("%+v: %q, %v", row.plus, initial, err)
		}
	}
	server := sasl.Server{Mechanisms: []sasl.ServerMechanism{declaredServer(forbidden)}}
	conn := sasl.ConnInfo{Secure: true, Bindings: []sasl.ChannelBinding{exporter}}
	if offered := server.Offer(conn); offered != nil {
		t.Errorf("a server offers %q", offered)
	}
	if _, err := server.Begin(t.Context(), conn, "X-TEST-PLUS"); !errors.Is(err, sasl.ErrPolicy) {
		t.Error(err)
	}
}

// TestUnconfirmedMeansBound: a binding that nothing confirms is one that was
// sent. An exchange that has bound nothing has nothing to confirm.
func TestUnconfirmedMeansBound(t *testing.T) {
	m := declared{"GSSAPI", sasl.Properties{Binds: sasl.BindsAlways}}
	srv := sasl.ServerInfo{Secure: true, Mechanisms: []string{"GSSAPI"}, Bindings: []sasl.ChannelBinding{endPoint}, ProfileBinding: "tls-server-end-point"}
	for _, row := range []struct {
		mechanism sasl.Mechanism
		want      sasl.Result
	}{
		{m, sasl.Result{Mechanism: "GSSAPI", Binding: "tls-server-end-point", BindingUnconfirmed: true}},
		{unbound{m}, sasl.Result{Mechanism: "GSSAPI"}},
	} {
		client := sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}}
		session, err := client.Begin(t.Context(), srv)
		if err != nil {
			t.Fatal(err)
		}
		if result := session.Result(); result != row.want {
			t.Errorf("%+v, want %+v", result, row.want)
		}
	}
}

// boundAtTheEnd is a played mechanism that knows at its end only what it has
// bound.
type boundAtTheEnd struct{ played }

func (m boundAtTheEnd) New(t sasl.Terms) sasl.Exchange {
	return boundAtTheEndExchange{m.played.New(t).(*playedExchange)}
}

type boundAtTheEndExchange struct{ *playedExchange }

func (x boundAtTheEndExchange) BoundTo() string {
	if len(x.moves) > 0 {
		return ""
	}
	return "tls-exporter"
}

// TestRequiredBindingAtTheEnd: RequireBinding looks at the exchange once it is
// done, and leaves an error of the mechanism as it is.
func TestRequiredBindingAtTheEnd(t *testing.T) {
	x := []byte("x")
	always := sasl.Properties{Binds: sasl.BindsAlways}
	srv := sasl.ServerInfo{Secure: true, Mechanisms: []string{"X-PLAYED"}, Bindings: []sasl.ChannelBinding{exporter}, EnforcesBinding: true}
	for _, row := range []struct {
		name  string
		moves []move
		class sasl.Class
	}{
		{"bound at the end", []move{{out: x}, {done: true}}, ""},
		{"done too early", []move{{out: x, done: true}, {done: true}}, sasl.ErrSecurity},
		{"an error of the mechanism", []move{{done: true, err: sasl.ErrTemporary}, {}}, sasl.ErrTemporary},
	} {
		client := sasl.Client{Mechanisms: []sasl.Mechanism{boundAtTheEnd{played{properties: always, moves: row.moves}}}, Binding: sasl.RequireBinding}
		result, err := client.Drive(t.Context(), io.NopCloser(nil), srv, func(s *sasl.Session) error {
			if _, _, err := s.Start(); err != nil {
				return err
			}
			_, err := s.Respond(nil)
			return err
		})
		if sasl.ClassOf(err) != row.class || err == nil && result.Binding != "tls-exporter" {
			t.Errorf("%s: %+v, %v", row.name, result, err)
		}
	}
}

// TestSafeWithoutTLS: what SecureOnly allows without TLS is what declares that it
// needs none, and has to negotiate a confidential layer. AllowInsecure adds what it
// names and nothing else.
func TestSafeWithoutTLS(t *testing.T) {
	safe := sasl.Properties{SafeWithoutTLS: true, ProvesServer: true, Layers: true}
	for _, row := range []struct {
		properties     sasl.Properties
		server         sasl.ServerInfo
		layer          sasl.LayerStrength
		allowed, named bool
	}{
		{sasl.Properties{}, sasl.ServerInfo{}, sasl.NoLayer, false, true},
		{sasl.Properties{}, sasl.ServerInfo{Secure: true}, sasl.NoLayer, true, true},
		{safe, sasl.ServerInfo{CarriesLayer: true}, sasl.ConfidentialityLayer, true, true},
		{safe, sasl.ServerInfo{CarriesLayer: true, Layer: sasl.ConfidentialityLayer}, sasl.ConfidentialityLayer, true, true},
		{safe, sasl.ServerInfo{CarriesLayer: true, Layer: sasl.IntegrityLayer}, sasl.IntegrityLayer, false, true},
		{safe, sasl.ServerInfo{CarriesLayer: true, Layer: sasl.NoLayer}, sasl.NoLayer, false, true},
		{safe, sasl.ServerInfo{CarriesLayer: true, TLSVersion: 0x0304}, sasl.NoLayer, false, true}, // not verified
		{safe, sasl.ServerInfo{}, sasl.NoLayer, false, true},
		{sasl.Properties{Layers: true}, sasl.ServerInfo{CarriesLayer: true}, sasl.ConfidentialityLayer, false, true},
		{sasl.Properties{Anonymous: true}, sasl.ServerInfo{}, sasl.NoLayer, true, true},
		{sasl.Properties{KeepsSecret: true, ProvesServer: true}, sasl.ServerInfo{}, sasl.NoLayer, false, true},
	} {
		candidate := sasl.Candidate{Name: "X-TEST", Properties: row.properties, Server: row.server, Layer: row.layer}
		if err := sasl.SecureOnly(candidate); (err == nil) != row.allowed {
			t.Errorf("%+v: %v", candidate, err)
		}
		if err := sasl.AllowInsecure("X-OTHER", "X-TEST")(candidate); (err == nil) != row.named {
			t.Errorf("%+v, named: %v", candidate, err)
		}
		if err := sasl.AllowInsecure("X-OTHER")(candidate); (err == nil) != row.allowed {
			t.Errorf("%+v, another is named: %v", candidate, err)
		}
		client := sasl.Client{Mechanisms: []sasl.Mechanism{declared{"X-TEST", row.properties}}}
		row.server.Mechanisms = []string{"X-TEST"}
		_, err := client.Begin(t.Context(), row.server)
		if (err == nil) != row.allowed {
			t.Errorf("%+v: a Client without a policy: %v", candidate, err)
		}
	}
}

// TestTypesThatAreCut: an attack is suspected only if the list of types can be the
// doing of somebody in between, and the hint says so.
func TestTypesThatAreCut(t *testing.T) {
	both := []sasl.ChannelBinding{exporter, endPoint}
	for _, row := range []struct {
		name   string
		client sasl.Client
		types  []string
		class  sasl.Class
	}{
		{"a type that we exclude, and that is defined", sasl.Client{BindingTypes: []string{"tls-exporter"}}, []string{"tls-server-end-point"}, sasl.ErrSecurity},
		{"that type and another", sasl.Client{BindingTypes: []string{"tls-exporter"}}, []string{"tls-server-end-point", "tls-unique"}, sasl.ErrSecurity},
		{"one of ours", sasl.Client{BindingTypes: []string{"tls-exporter"}}, []string{"tls-server-end-point", "tls-exporter"}, ""},
		{"binding disabled", sasl.Client{Binding: sasl.DisableBinding}, []string{"tls-unique"}, ""},
	} {
		row.client.Mechanisms = ladder()
		_, err := row.client.Begin(t.Context(), sasl.ServerInfo{
			Secure: true, Mechanisms: []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}, Bindings: both, AdvertisedBindings: row.types})
		if sasl.ClassOf(err) != row.class || err != nil && hints(err) != "list" {
			t.Errorf("%s: %v, hints %q", row.name, err, hints(err))
		}
	}
}

// TestAlwaysBindsToWhatTheCallerNames: the caller's order outweighs the type of the
// profile.
func TestAlwaysBindsToWhatTheCallerNames(t *testing.T) {
	for want, types := range map[string][]string{
		"tls-exporter":         {"tls-exporter", "tls-server-end-point"},
		"tls-server-end-point": nil,
	} {
		client := sasl.Client{Mechanisms: []sasl.Mechanism{declared{"GSSAPI", sasl.Properties{Binds: sasl.BindsAlways}}}, BindingTypes: types}
		session, err := client.Begin(t.Context(), sasl.ServerInfo{
			Secure: true, Mechanisms: []string{"GSSAPI"}, Bindings: []sasl.ChannelBinding{exporter, endPoint}, ProfileBinding: "tls-server-end-point"})
		if err != nil {
			t.Fatal(err)
		}
		if got := session.Result().Binding; got != want {
			t.Errorf("%q: bound to %q", types, got)
		}
	}
}
