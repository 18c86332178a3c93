package sasl_test

import (
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestTrace: every step, and nothing secret.
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
