package sasl_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestTrace shows that a trace has every step and no secret.
func TestTrace(t *testing.T) {
	client := rfc7677Client("pencil")
	var got []string
	client.Trace = func(e sasl.Event) { got = append(got, e.String()) }
	peer := sasltest.NewPeer(c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal), s(rfc7677ServerFinal), c(""), succeed)
	if _, err := client.Authenticate(t.Context(), peer, scramServer); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"-- SCRAM-SHA-256",
		"C: n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		"S: r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		"C: c=(n,,),r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=…",
		"S: v=…",
		"C: (empty)",
		"S+ (none)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("trace\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	got = nil
	client = plainClient("secret")
	client.Trace = func(e sasl.Event) { got = append(got, e.String()) }
	client.Authenticate(t.Context(), sasltest.NewPeer(c("\x00tim\x00secret"), refuse(sasl.NotAuthorized)), plainServer)
	want = []string{"-- PLAIN", `C: authzid="" username="tim" password=…`, "S! not-authorized"}
	if !slices.Equal(got, want) {
		t.Errorf("trace %q, want %q", got, want)
	}
}

// TestTraceOfBinding shows that a trace has the gs2-header, and neither the data of the
// binding nor an input that is not one.
func TestTraceOfBinding(t *testing.T) {
	client := &sasl.Client{Mechanisms: ladder()}
	client.SetNonce(rfc7677Nonce)
	var got []string
	client.Trace = func(e sasl.Event) { got = append(got, e.String()) }
	client.Drive(t.Context(), new(closer), sasl.ServerInfo{Secure: true, Mechanisms: []string{"SCRAM-SHA-256-PLUS"}, Bindings: []sasl.ChannelBinding{exporter}}, func(s *sasl.Session) error {
		s.Start()
		s.Respond([]byte(rfc7677ServerFirst))
		s.Respond([]byte("c=bm90IGE="))
		return nil
	})
	want := []string{
		"-- SCRAM-SHA-256-PLUS bound to tls-exporter",
		"C: p=tls-exporter,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		"S: r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		"C: c=(p=tls-exporter,,…),r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=…",
		"S: c=…",
	}
	if !slices.Equal(got[:min(len(got), len(want))], want) {
		t.Errorf("trace\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestNamesOfKinds shows that kinds and classes have names in text, JSON and logs.
func TestNamesOfKinds(t *testing.T) {
	got, err := json.Marshal([]any{
		sasl.Event{Kind: sasl.EventChallenge, Mechanism: "PLAIN", Text: "x"}, sasl.EventToken, sasl.EventKind(99), sasl.ErrAuthentication,
		sasl.Result{Mechanism: "SCRAM-SHA-1-PLUS", Binding: "tls-unique", Username: "user", RoundTrips: 2},
	})
	want := `[{"kind":"challenge","mechanism":"PLAIN","text":"x"},"token","unknown","authentication",` +
		`{"mechanism":"SCRAM-SHA-1-PLUS","binding":"tls-unique","username":"user","round_trips":2}]`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	names := ""
	for k := sasl.EventSelected; k <= sasl.EventToken; k++ {
		names += k.String() + " "
	}
	if names != "selected initiated challenge response aborted success refused token " {
		t.Errorf("%s", names)
	}
	if text := (sasl.Event{Kind: 99, Text: "x"}).String(); text != "unknown x" {
		t.Errorf("an unknown kind: %s", text)
	}
	if text := sasl.ErrPolicy.String(); text != "policy" {
		t.Errorf("%s", text)
	}
}
