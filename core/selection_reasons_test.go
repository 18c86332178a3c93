package sasl_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// passedOver returns the mechanisms that an error says were passed over, each
// with its reason.
func passedOver(err error) (list []string) {
	var login *sasl.LoginError
	if errors.As(err, &login) {
		for _, p := range login.PassedOver {
			list = append(list, p.Mechanism+": "+p.Reason.Error())
		}
	}
	return list
}

// TestSelectionMore: the reason why each mechanism is not used. The class has an
// ErrSecurity in it if nothing but the binding is missing.
func TestSelectionMore(t *testing.T) {
	const (
		noBinding   = "there is nothing to bind to on this connection"
		mustBind    = "the mechanism does not bind to the channel, which RequireBinding demands"
		unconfirmed = "nothing confirms its channel binding, and RequireBinding demands a confirmation unless ServerInfo.EnforcesBinding is set"
		listCut     = "with this mechanism the server cannot confirm that its list of channel bindings is complete"
		otherTypes  = "the server binds to tls-unique, this connection to tls-exporter"
		insecure    = "the server is not verified or the connection not confidential"
	)
	always := declared{"GSSAPI", sasl.Properties{Binds: sasl.BindsAlways}}
	broken := declared{"X-BROKEN", sasl.Properties{Unavailable: errors.New("FIPS 140 forbids it")}}
	require, disable := sasl.Client{Binding: sasl.RequireBinding}, sasl.Client{Binding: sasl.DisableBinding}
	bound := []sasl.ChannelBinding{exporter}
	for _, row := range []struct {
		name    string
		client  sasl.Client
		srv     sasl.ServerInfo
		offered string
		want    []string
		attack  bool
	}{
		{"required, not bound", require, sasl.ServerInfo{Secure: true, Bindings: bound}, "PLAIN", []string{"PLAIN: " + mustBind}, true},
		{"required, unbindable", require, sasl.ServerInfo{Secure: true}, "SCRAM-SHA-256-PLUS GSSAPI", []string{"SCRAM-SHA-256-PLUS: " + noBinding, "GSSAPI: " + noBinding}, true},
		{"required, unconfirmed", require, sasl.ServerInfo{Secure: true, Bindings: bound}, "GSSAPI", []string{"GSSAPI: " + unconfirmed}, true},
		{"required, and the server has other types", require, sasl.ServerInfo{Secure: true, Bindings: bound, AdvertisedBindings: []string{"tls-unique"}}, "SCRAM-SHA-256-PLUS PLAIN",
			[]string{"SCRAM-SHA-256-PLUS: " + otherTypes, "PLAIN: " + mustBind}, true},
		{"required, and TLS is missing too", require, sasl.ServerInfo{Bindings: bound}, "SCRAM-SHA-256-PLUS", []string{"SCRAM-SHA-256-PLUS: " + insecure}, false},
		{"required, and one is missing otherwise", require, sasl.ServerInfo{Secure: true, Bindings: bound}, "PLAIN X-BROKEN", []string{"PLAIN: " + mustBind, "X-BROKEN: FIPS 140 forbids it"}, false},
		{"required, and nothing of ours is offered", require, sasl.ServerInfo{Secure: true, Bindings: bound}, "NTLM", []string{"NTLM: this library does not have it"}, true},
		{"not required, unbindable", sasl.Client{}, sasl.ServerInfo{Secure: true}, "SCRAM-SHA-256-PLUS", []string{"SCRAM-SHA-256-PLUS: " + noBinding}, false},
		{"disabled", disable, sasl.ServerInfo{Secure: true, Bindings: bound}, "SCRAM-SHA-256-PLUS", []string{"SCRAM-SHA-256-PLUS: DisableBinding"}, false},
		{"a list that was cut", sasl.Client{}, sasl.ServerInfo{Secure: true, Downgrade: true, Bindings: bound, AdvertisedBindings: []string{"tls-unique"}}, "SCRAM-SHA-256-PLUS PLAIN",
			[]string{"SCRAM-SHA-256-PLUS: " + otherTypes, "PLAIN: " + listCut}, false},
		{"a list that was cut, and no TLS", sasl.Client{}, sasl.ServerInfo{Downgrade: true, Bindings: bound, AdvertisedBindings: []string{"tls-unique"}}, "SCRAM-SHA-256-PLUS SCRAM-SHA-256",
			[]string{"SCRAM-SHA-256-PLUS: " + otherTypes, "SCRAM-SHA-256: " + insecure}, false},
		{"no TLS", sasl.Client{}, sasl.ServerInfo{}, "PLAIN SCRAM-SHA-256 X-BROKEN", []string{"SCRAM-SHA-256: " + insecure, "PLAIN: " + insecure, "X-BROKEN: FIPS 140 forbids it"}, false},
	} {
		row.client.Mechanisms = []sasl.Mechanism{sasl.SCRAMPlus(sasl.SHA256, pencil), sasl.SCRAM(sasl.SHA256, pencil), sasl.Plain(pencil), always, broken}
		row.srv.Mechanisms = strings.Fields(row.offered)
		_, err := row.client.Begin(t.Context(), row.srv)
		if got := passedOver(err); !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		if sasl.ClassOf(err) != sasl.ErrPolicy || errors.Is(err, sasl.ErrSecurity) != row.attack {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// TestBindingIsAllThatIsMissing: a token that cannot be used here does not hide
// that somebody may have taken the binding away.
func TestBindingIsAllThatIsMissing(t *testing.T) {
	client, store := tokenClient("HT-SHA-256-NONE")
	client.Binding = sasl.RequireBinding
	put(store, tokenAccount, token("NONE"))
	srv := tokenSrv
	srv.Host = "" // a token is not for a host that is not known
	_, err := client.Authenticate(t.Context(), tokenPeer(), srv)
	if !errors.Is(err, sasl.ErrPolicy) || !errors.Is(err, sasl.ErrSecurity) {
		t.Error(err)
	}
	want := []string{
		"HT-SHA-256-NONE: a token is used only with a server whose Host is known",
		"SCRAM-SHA-256: the mechanism does not bind to the channel, which RequireBinding demands",
		"PLAIN: the mechanism does not bind to the channel, which RequireBinding demands",
	}
	if got := passedOver(err); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestRelistKeepsTheResult: the list after the login is judged on its own. The
// Result keeps its binding, even if that list has no mechanism that binds.
func TestRelistKeepsTheResult(t *testing.T) {
	for later, class := range map[string]sasl.Class{
		"PLAIN":                    "",
		"SCRAM-SHA-256-PLUS PLAIN": "",
		"SCRAM-SHA-512-PLUS":       sasl.ErrSecurity,
	} {
		peer := sasltest.NewPeer(c("x"), succeed)
		peer.Later = strings.Fields(later)
		client := sasl.Client{Mechanisms: trivialLadder()}
		srv := sasl.ServerInfo{Secure: true, Mechanisms: []string{"SCRAM-SHA-256-PLUS"}, Bindings: []sasl.ChannelBinding{exporter}}
		result, err := client.Authenticate(t.Context(), peer, srv)
		if want := (sasl.Result{Mechanism: "SCRAM-SHA-256-PLUS", Binding: "tls-exporter", RoundTrips: 1}); result != want || sasl.ClassOf(err) != class {
			t.Errorf("%s: %+v, %v", later, result, err)
		}
	}
}

// TestMechanismNames: RFC 4422 s3.1 allows 1 to 20 capitals, digits, hyphens and
// underscores. Neither side uses another name, even if both sides have that mechanism.
func TestMechanismNames(t *testing.T) {
	for name, valid := range map[string]bool{
		"A": true, "AZ09-_": true, "ABCDEFGHIJKLMNOPQRST": true, "ABCDEFGHIJKLMNOPQRSTU": false,
		"": false, "a": false, "Az": false, "A B": false, "A,B": false, "A\n": false, "A@": false, "A[": false, "A/": false, "A:": false, "\u00c4": false,
	} {
		client := sasl.Client{Mechanisms: []sasl.Mechanism{trivial(name)}}
		_, err := client.Begin(t.Context(), sasl.ServerInfo{Secure: true, Mechanisms: []string{name}})
		if valid != (err == nil) || err != nil && !errors.Is(err, sasl.ErrPolicy) {
			t.Errorf("%q: %v", name, err)
		}
		server := sasl.Server{Mechanisms: []sasl.ServerMechanism{trivialServer(name)}}
		if offered := server.Offer(sasl.ConnInfo{Secure: true}); valid != (len(offered) == 1) {
			t.Errorf("%q: a server offers %q", name, offered)
		}
		if _, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true}, name); valid != (err == nil) {
			t.Errorf("%q: a server begins it: %v", name, err)
		}
	}
}

// trivialServer is the server's side of trivial.
type trivialServer string

func (m trivialServer) Name() string                     { return string(m) }
func (trivialServer) New(sasl.ServerTerms) sasl.Exchange { return new(trivialExchange) }

// TestNames shows the reason for a known mechanism that is not configured, and for an
// unknown mechanism.
func TestNames(t *testing.T) {
	client := sasl.Client{Mechanisms: []sasl.Mechanism{trivial("X-TEST")}}
	offered := []string{"PLAIN", "ANONYMOUS", "EXTERNAL", "HT-SHA-256-ENDP", "SCRAM-SHA-1", "SCRAM-SHA3-512-PLUS", "PLAIN-X", "SCRAM-MD5", "X\x1b[31m", "PLAIN"}
	_, err := client.Begin(t.Context(), sasl.ServerInfo{Secure: true, Mechanisms: offered})
	var want []string
	for _, name := range offered[:6] {
		want = append(want, name+": not configured")
	}
	want = append(want, "PLAIN-X: this library does not have it", "SCRAM-MD5: this library does not have it",
		"X[31m: an invalid name (RFC 4422 s3.1): use 1 to 20 capitals, digits, hyphens and underscores")
	if got := passedOver(err); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if text := fmt.Sprint(err); strings.Contains(text, "\x1b") {
		t.Errorf("%q", text)
	}
}
