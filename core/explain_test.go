package sasl_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestAllowIsAskedOnce shows that the Client calls Allow once for each mechanism,
// with its properties and the server, before anything is sent. The later course of
// the login makes no difference.
func TestAllowIsAskedOnce(t *testing.T) {
	var asked []string
	client := &sasl.Client{Mechanisms: ladder()}
	client.SetNonce(rfc7677Nonce)
	begun := false
	client.Allow = func(c sasl.Candidate) error {
		if begun {
			t.Errorf("asked about %s during the exchange", c.Name)
		}
		if c.Server.Host != "mail.example.org" || c.Properties.ProvesServer != strings.HasPrefix(c.Name, "SCRAM-") || c.Properties.KeepsSecret == (c.Name == "PLAIN") {
			t.Errorf("%+v", c)
		}
		asked = append(asked, c.Name)
		return nil
	}
	client.Trace = func(e sasl.Event) { begun = begun || e.Kind == sasl.EventSelected }
	peer := sasltest.NewPeer(c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal), refuse(sasl.NotAuthorized))
	peer.Later = []string{"SCRAM-SHA-512"}
	_, err := client.Authenticate(t.Context(), peer, sasl.ServerInfo{Host: "mail.example.org", Mechanisms: []string{"PLAIN", "SCRAM-SHA-256"}})
	if !errors.Is(err, sasl.ErrAuthentication) {
		t.Error(err)
	}
	var names []string
	for _, m := range client.Mechanisms {
		names = append(names, m.Name())
	}
	if !slices.Equal(asked, names) {
		t.Errorf("Allow was called for %q", asked)
	}
}

// TestExplained shows that, if no mechanism is left, the error lists every mechanism
// of the server with the reason why the mechanism is not used.
func TestExplained(t *testing.T) {
	broken := declared{"X-BROKEN", sasl.Properties{Unavailable: errors.New("FIPS 140 forbids it")}}
	client := &sasl.Client{
		Mechanisms: append(ladder(), broken),
		Allow: func(c sasl.Candidate) error {
			if c.Name == "PLAIN" {
				return errors.New("not in this house")
			}
			return nil
		},
		BindingTypes: []string{"tls-unique"},
	}
	for name, row := range map[string]struct {
		offered, text string
		reasons       []string
	}{
		"each with its reason": {"PLAIN SCRAM-SHA-512-PLUS X-BROKEN EXTERNAL HT-SHA-256-NONE GSSAPI NTLM login PLAIN",
			"policy error: no mechanism is left: the server offers PLAIN SCRAM-SHA-512-PLUS X-BROKEN EXTERNAL HT-SHA-256-NONE GSSAPI NTLM login PLAIN" +
				"; SCRAM-SHA-512-PLUS: BindingTypes excludes every channel binding of this connection: tls-exporter" +
				"; PLAIN: not in this house; X-BROKEN: FIPS 140 forbids it; EXTERNAL HT-SHA-256-NONE: not configured" +
				"; GSSAPI NTLM: this library does not have it; login: an invalid name (RFC 4422 s3.1): use 1 to 20 capitals, digits, hyphens and underscores",
			[]string{"SCRAM-SHA-512-PLUS", "PLAIN", "X-BROKEN", "EXTERNAL", "HT-SHA-256-NONE", "GSSAPI", "NTLM", "login"}},
		"nothing that the library has": {"GSSAPI NTLM",
			"policy error: the server offers only GSSAPI NTLM, and this library has none of these mechanisms", []string{"GSSAPI", "NTLM"}},
		"what needs a token": {"HT-SHA-256-NONE", "policy error: no mechanism is left: the server offers HT-SHA-256-NONE; HT-SHA-256-NONE: not configured", []string{"HT-SHA-256-NONE"}},
		"nothing":            {"", "policy error: the server offers no mechanism", nil},
	} {
		srv := sasl.ServerInfo{Secure: true, Mechanisms: strings.Fields(row.offered), Bindings: []sasl.ChannelBinding{exporter}}
		peer := sasltest.NewPeer()
		result, err := client.Authenticate(t.Context(), peer, srv)
		var login *sasl.LoginError
		if !errors.As(err, &login) || err.Error() != row.text || login.ByServer || result != (sasl.Result{}) {
			t.Fatalf("%s: %v", name, err)
		}
		var names []string
		for _, p := range login.PassedOver {
			names = append(names, p.Mechanism)
		}
		if !slices.Equal(names, row.reasons) {
			t.Errorf("%s: %q", name, names)
		}
		if err := peer.Fault(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBindingListWithoutMechanisms shows that a login succeeds if the server lists
// channel bindings but offers no mechanism that binds, and that the trace reports
// such a server.
func TestBindingListWithoutMechanisms(t *testing.T) {
	client := plainClient("secret")
	var trace string
	client.Trace = func(e sasl.Event) { trace += e.String() + "\n" }
	srv := plainServer
	srv.AdvertisedBindings, srv.Downgrade = []string{"tls-exporter"}, true
	if _, err := client.Authenticate(t.Context(), sasltest.NewPeer(c("\x00tim\x00secret"), succeed), srv); err != nil {
		t.Error(err)
	}
	if want := "-- PLAIN; the server lists channel bindings (tls-exporter) and no mechanism that binds\n"; !strings.HasPrefix(trace, want) {
		t.Error(trace)
	}
}
