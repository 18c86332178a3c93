package saslxmpp_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

const (
	thisClient  = "d4565fa7-4d72-4749-b3d3-740edbf87770"
	otherClient = "00000000-4d72-4749-b3d3-740edbf87770"
)

// tokensOf are those of a user's client.
func tokensOf(t *testing.T, store sasl.TokenStore, id string) (list []string) {
	t.Helper()
	account := sasl.TokenAccount{Service: "xmpp", Host: host, Username: "user", ClientID: id}
	err := store.Update(t.Context(), account, func(tokens []sasl.Token) []sasl.Token {
		for _, token := range tokens {
			list = append(list, string(token.Secret.Bytes()))
		}
		return tokens
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestServerTokenIssued: a token belongs to the client that asked for it.
func TestServerTokenIssued(t *testing.T) {
	for _, id := range []string{thisClient, otherClient, "phone", ""} {
		auth, store := sasltest.AllMechanisms(), new(sasl.MemoryTokens)
		auth.Tokens = &sasl.ServerTokens{Store: store, Mechanisms: []string{"HT-SHA-256-NONE"}}
		server := serve(t, auth)
		server.auth.TokenLifetime = time.Hour
		talk, _ := server.secured(t, host)
		talk.says(t, "<authenticate"+ns2+" mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response>"+
			"<user-agent id='"+id+"'/><request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/></authenticate>")
		_, issued, isIssued := strings.Cut(talk.hears(t, "</success>"), " token='")
		issued, _, _ = strings.Cut(issued, "'")
		talk.conn.Close()
		var want []string
		if id == thisClient || id == otherClient { // others are no UUID
			want = []string{issued}
		}
		if got := tokensOf(t, store, id); !slices.Equal(got, want) || isIssued != (want != nil) {
			t.Errorf("%q has %q, want %q", id, got, want)
		}
	}
}

// TestServerTokenUsed: a token is good for the client that has it, and the owner
// is told who was refused. The messages are what Python's hmac makes of the token.
func TestServerTokenUsed(t *testing.T) {
	const (
		token     = "secret-token:fast-Oeie4nmlUoLHXca_YhkjwkEBgCEKKHKCArT8"
		initiator = "dXNlcgCqvwbiO5mYmenwcoqj9QEZGFCP1shUoe7bGIpNblIgeQ=="
		responder = "NnNtERu/o+e5vm+uR1LY5XAG45FsnVILEXl/Y5rhRoE="
	)
	for name, row := range map[string]struct {
		id      string
		success bool
		kept    []string // of this client, without what replaces it
		told    []string
	}{
		"by this client":  {thisClient, true, []string{token}, nil},
		"by another":      {otherClient, false, []string{token}, []string{"HT-SHA-256-NONE example.org authentication"}},
		"by nobody known": {"phone", false, []string{token}, []string{"HT-SHA-256-NONE  protocol"}},
	} {
		auth, store := sasltest.AllMechanisms(), new(sasl.MemoryTokens)
		auth.Tokens = &sasl.ServerTokens{Store: store, Mechanisms: []string{"HT-SHA-256-NONE"}}
		var told []string
		auth.Refused = func(mechanism string, conn sasl.ConnInfo, reason error) {
			told = append(told, mechanism+" "+conn.Host+" "+string(sasl.ClassOf(reason)))
		}
		account := sasl.TokenAccount{Service: "xmpp", Host: host, Username: "user", ClientID: thisClient}
		err := store.Update(context.Background(), account, func([]sasl.Token) []sasl.Token {
			return []sasl.Token{{Mechanism: "HT-SHA-256-NONE", Secret: sasl.NewSecret(token), Expiry: time.Now().Add(time.Hour)}}
		})
		if err != nil {
			t.Fatal(err)
		}
		server := serve(t, auth)
		server.auth.TokenLifetime = time.Hour
		talk, served := server.secured(t, host)
		talk.says(t, "<authenticate"+ns2+" mechanism='HT-SHA-256-NONE'><initial-response>"+initiator+"</initial-response>"+
			"<user-agent id='"+row.id+"'/><fast xmlns='urn:xmpp:fast:0' count='1'/></authenticate>")
		kept := row.kept
		if row.success {
			answer := talk.hears(t, "</success>")
			_, issued, _ := strings.Cut(answer, " token='")
			issued, _, _ = strings.Cut(issued, "'")
			kept = append(kept, issued)
			if !strings.Contains(answer, "<additional-data>"+responder+"</additional-data>") || issued == "" {
				t.Errorf("%s: %s", name, answer)
			}
		} else {
			talk.hears(t, "</failure>")
		}
		talk.conn.Close()
		<-served
		if got := tokensOf(t, store, thisClient); !slices.Equal(got, kept) {
			t.Errorf("%s: the client has %q, want %q", name, got, kept)
		}
		if row.id == otherClient && tokensOf(t, store, otherClient) != nil {
			t.Errorf("%s: the other client has a token", name)
		}
		if !slices.Equal(told, row.told) {
			t.Errorf("%s: told %q, want %q", name, told, row.told)
		}
	}
}
