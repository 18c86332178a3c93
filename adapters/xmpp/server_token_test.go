package saslxmpp_test

import (
	"context"
	"errors"
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

// A token, and the messages that Python's hmac makes of it for HT-SHA-256-NONE.
const (
	token     = "secret-token:fast-Oeie4nmlUoLHXca_YhkjwkEBgCEKKHKCArT8"
	initiator = "dXNlcgCqvwbiO5mYmenwcoqj9QEZGFCP1shUoe7bGIpNblIgeQ=="
	responder = "NnNtERu/o+e5vm+uR1LY5XAG45FsnVILEXl/Y5rhRoE="
)

// tokenServer has all mechanisms, and tokens without a binding.
func tokenServer() (*sasl.Server, *sasl.MemoryTokens) {
	auth, store := sasltest.AllMechanisms(), new(sasl.MemoryTokens)
	auth.Tokens = &sasl.ServerTokens{Store: store, Mechanisms: []string{"HT-SHA-256-NONE"}}
	return auth, store
}

// issuedIn returns the token in <success/>; "" = none.
func issuedIn(success string) string {
	_, token, _ := strings.Cut(success, " token='")
	token, _, _ = strings.Cut(token, "'")
	return token
}

// tokensOf returns the tokens of a user's client.
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

// TestServerTokenIssued: a token belongs to the client that requested it.
func TestServerTokenIssued(t *testing.T) {
	for _, id := range []string{thisClient, otherClient, "phone", ""} {
		auth, store := tokenServer()
		server := serve(t, auth)
		server.domain.TokenLifetime = time.Hour
		talk, _ := server.secured(t, host)
		talk.says(t, "<authenticate"+ns2+" mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response>"+
			"<user-agent id='"+id+"'/><request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/></authenticate>")
		issued := issuedIn(talk.hears(t, "</success>"))
		talk.conn.Close()
		var want []string
		if id == thisClient || id == otherClient { // the others are not UUIDs
			want = []string{issued}
		}
		if got := tokensOf(t, store, id); !slices.Equal(got, want) || (issued != "") != (want != nil) {
			t.Errorf("%q has %q, want %q", id, got, want)
		}
	}
}

// TestServerTokenUsed: only the token's own client can use it, and Server.Refused
// gets the identity that was refused.
func TestServerTokenUsed(t *testing.T) {
	for name, row := range map[string]struct {
		id       string
		success  bool
		reported []string
	}{
		"by this client":  {thisClient, true, nil},
		"by another":      {otherClient, false, []string{"HT-SHA-256-NONE example.org authentication"}},
		"by nobody known": {"phone", false, []string{"HT-SHA-256-NONE example.org protocol"}},
	} {
		auth, store := tokenServer()
		var reported []string
		auth.Refused = func(mechanism string, conn sasl.ConnInfo, reason error) {
			reported = append(reported, mechanism+" "+conn.Host+" "+string(sasl.ClassOf(reason)))
		}
		account := sasl.TokenAccount{Service: "xmpp", Host: host, Username: "user", ClientID: thisClient}
		store.Update(t.Context(), account, func([]sasl.Token) []sasl.Token {
			return []sasl.Token{{Mechanism: "HT-SHA-256-NONE", Secret: sasl.NewSecret(token), Expiry: time.Now().Add(time.Hour)}}
		})
		server := serve(t, auth)
		server.domain.TokenLifetime = time.Hour
		talk, served := server.secured(t, host)
		talk.says(t, "<authenticate"+ns2+" mechanism='HT-SHA-256-NONE'><initial-response>"+initiator+"</initial-response>"+
			"<user-agent id='"+row.id+"'/><fast xmlns='urn:xmpp:fast:0' count='1'/></authenticate>")
		kept := []string{token}
		if row.success {
			answer := talk.hears(t, "</success>")
			kept = append(kept, issuedIn(answer))
			if !strings.Contains(answer, "<additional-data>"+responder+"</additional-data>") || issuedIn(answer) == "" {
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
		if !slices.Equal(reported, row.reported) {
			t.Errorf("%s: reported %q, want %q", name, reported, row.reported)
		}
	}
}

// TestServerTokenCounted: the client's count is stored, and a token that the client
// invalidates is deleted.
func TestServerTokenCounted(t *testing.T) {
	for fast, want := range map[string][]uint64{"count='5'": {5}, "count='5' invalidate='true'": nil, "invalidate='1'": nil, "": {0}} {
		auth, store := tokenServer()
		account := sasl.TokenAccount{Service: "xmpp", Host: host, Username: "user", ClientID: thisClient}
		store.Update(t.Context(), account, func([]sasl.Token) []sasl.Token {
			return []sasl.Token{{Mechanism: "HT-SHA-256-NONE", Secret: sasl.NewSecret(token), Expiry: time.Now().Add(time.Hour)}}
		})
		server := serve(t, auth)
		talk, served := server.secured(t, host)
		server.domain.TokenLifetime = 0 // no further token is issued
		talk.says(t, "<authenticate"+ns2+" mechanism='HT-SHA-256-NONE'><initial-response>"+initiator+"</initial-response>"+
			"<user-agent id='"+thisClient+"'/><fast xmlns='urn:xmpp:fast:0' "+fast+"/></authenticate>")
		talk.hears(t, "</success>")
		talk.conn.Close()
		<-served
		var got []uint64
		store.Update(t.Context(), account, func(tokens []sasl.Token) []sasl.Token {
			for _, held := range tokens {
				got = append(got, held.Count)
			}
			return tokens
		})
		if !slices.Equal(got, want) {
			t.Errorf("%q: the counts are %d, want %d", fast, got, want)
		}
	}
}

// failing is a store that cannot be written.
type failing struct{ sasl.TokenStore }

func (failing) Update(context.Context, sasl.TokenAccount, func([]sasl.Token) []sasl.Token) error {
	return errors.New("no space")
}

// TestServerTokenNotStored: a client whose token cannot be stored is refused, and its
// session is not ready.
func TestServerTokenNotStored(t *testing.T) {
	auth, store := tokenServer()
	auth.Tokens.Store = failing{store}
	server := serve(t, auth)
	server.domain.TokenLifetime = time.Hour
	talk, served := server.secured(t, host)
	talk.says(t, "<authenticate"+ns2+" mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response>"+
		"<user-agent id='"+thisClient+"'/><request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/></authenticate>")
	if got := talk.hears(t, "</failure>"); !strings.Contains(got, "<temporary-auth-failure"+ns1+"/>") || strings.Contains(got, "<success") {
		t.Error(got)
	}
	talk.says(t, "<iq xmlns='jabber:client' type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
	if at := <-served; at.err == nil || at.address.String() != "" {
		t.Errorf("%+v", at)
	}
}

// TestServerTokenReplaced: a token that is used is replaced by one for its mechanism,
// or for the mechanism that the client names, and not at all if it is to end
// (XEP-0484 s3.4).
func TestServerTokenReplaced(t *testing.T) {
	for name, row := range map[string]struct {
		fast, wanted string
		replaced     string
	}{
		"used":    {"", "", "HT-SHA-256-NONE"},
		"another": {"", "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-EXPR'/>", "HT-SHA-256-EXPR"},
		"ended":   {"invalidate='true'", "", ""},
	} {
		auth, store := tokenServer()
		auth.Tokens.Mechanisms = []string{"HT-SHA-256-EXPR", "HT-SHA-256-NONE"}
		account := sasl.TokenAccount{Service: "xmpp", Host: host, Username: "user", ClientID: thisClient}
		store.Update(t.Context(), account, func([]sasl.Token) []sasl.Token {
			return []sasl.Token{{Mechanism: "HT-SHA-256-NONE", Secret: sasl.NewSecret(token), Expiry: time.Now().Add(time.Hour)}}
		})
		server := serve(t, auth)
		server.domain.TokenLifetime = time.Hour
		talk, _ := server.secured(t, host)
		talk.says(t, "<authenticate"+ns2+" mechanism='HT-SHA-256-NONE'><initial-response>"+initiator+"</initial-response><user-agent id='"+thisClient+"'/><fast xmlns='urn:xmpp:fast:0' "+row.fast+"/>"+row.wanted+"</authenticate>")
		issued := issuedIn(talk.hears(t, "</success>"))
		talk.conn.Close()
		kept := ""
		store.Update(t.Context(), account, func(tokens []sasl.Token) []sasl.Token {
			for _, t := range tokens {
				if string(t.Secret.Bytes()) == issued {
					kept = t.Mechanism
				}
			}
			return tokens
		})
		if kept != row.replaced || (issued == "") != (row.replaced == "") {
			t.Errorf("%s: the token %q is for %q, want %q", name, issued, kept, row.replaced)
		}
	}
}
