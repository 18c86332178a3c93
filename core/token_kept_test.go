package sasl_test

import (
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestTokenUsername: a token is asked for if the run is for the user of the
// tokens, whose name may need preparation. An account without a name belongs to no user.
func TestTokenUsername(t *testing.T) {
	for _, row := range []struct {
		mechanism sasl.Mechanism
		username  string
		asked     bool
	}{
		{bearer{"x", true}, "alice", true},
		{bearer{"x", true}, "ali\u00ADce", true}, // SASLprep drops the soft hyphen
		{bearer{"x", true}, "Alice", false},
		{bearer{"x", true}, "bob", false},
		{bearer{"x", true}, "alice\x07", false},
		{sasl.Plain(sasl.Password("ali\u00ADce", "pencil")), "ali\u00ADce", true}, // PLAIN leaves that to the server
		{sasl.External(""), "alice", true},
		{sasl.External("alice"), "alice", false}, // an authzid is another identity
		{sasl.Anonymous(""), "alice", false},
		{sasl.Anonymous(""), "\x07", false},
	} {
		client, _ := tokenClient()
		client.Mechanisms, client.Tokens.Username = []sasl.Mechanism{row.mechanism}, row.username
		peer := tokenPeer()
		srv := tokenSrv
		srv.Mechanisms = []string{row.mechanism.Name()}
		client.Authenticate(t.Context(), peer, srv)
		if len(peer.Requests) != 1 || (peer.Requests[0] == sasl.TokenRequest{Mechanism: "HT-SHA-256-EXPR"}) != row.asked {
			t.Errorf("%s for %q: %+v", row.mechanism.Name(), row.username, peer.Requests)
		}
	}
}

// TestTokenNotAskedFor: a token that comes although none was asked for is not
// kept, and leaves the one that is held.
func TestTokenNotAskedFor(t *testing.T) {
	acting := sasl.Plain(sasl.Password("user", "pencil").ActingAs("root"))
	for _, row := range []struct {
		mechanism sasl.Mechanism
		message   string
		kept      string
	}{
		{acting, "root\x00user\x00pencil", "HT-SHA-256-UNIQ " + tokenText + " 0;"},
		{sasl.Plain(pencil), "\x00user\x00pencil", "HT-SHA-256-EXPR fresh-and-long 0;"},
	} {
		client, store := tokenClient()
		client.Mechanisms = []sasl.Mechanism{row.mechanism}
		put(store, tokenAccount, token("UNIQ"))
		peer := tokenPeer(c(row.message), succeed)
		peer.Issue = issued("fresh-and-long")
		if _, err := client.Authenticate(t.Context(), peer, tokenSrv); err != nil {
			t.Error(err)
		}
		if kept := list(held(t, store, tokenAccount)); kept != row.kept {
			t.Errorf("%q: kept %q, want %q", row.message, kept, row.kept)
		}
	}
}

// TestUnusableTokenIsTold shows that the trace names an unusable token of the server,
// and that such a token does not replace the stored token.
func TestUnusableTokenIsTold(t *testing.T) {
	expired := issued("a token that is fresh")
	expired.Expiry = time.Now().Add(-time.Second)
	const unusable = "-- the server's token for HT-SHA-256-EXPR cannot be used: not kept"
	before := "HT-SHA-256-EXPR " + tokenText + " 1;"
	for name, row := range map[string]struct {
		issue      *sasl.IssuedToken
		told, kept string
	}{
		"expired":  {expired, unusable, before},
		"empty":    {issued(""), unusable, before},
		"too long": {issued(strings.Repeat("x", 1025)), unusable, before},
		"longest":  {issued(strings.Repeat("x", 1024)), "-- token for HT-SHA-256-EXPR kept", "HT-SHA-256-EXPR " + strings.Repeat("x", 1024) + " 0;"},
		"none":     {nil, "S+ mac=…", before},
	} {
		client, store := tokenClient()
		put(store, tokenAccount, token("EXPR"))
		var last string
		client.Trace = func(e sasl.Event) { last = e.String() }
		peer := tokenPeer(c(boundInitiator), sasltest.Line{Op: sasltest.Succeed, Data: []byte(boundResponder)})
		peer.Issue = row.issue
		if _, err := client.Authenticate(t.Context(), peer, tokenSrv); err != nil || last != row.told {
			t.Errorf("%s: %v, %q, want %q", name, err, last, row.told)
		}
		if kept := list(held(t, store, tokenAccount)); kept != row.kept {
			t.Errorf("%s: kept %q", name, kept)
		}
	}
}

// TestNoTokenOfUnreadList: a login whose second list cannot be read is none, so its
// token is not kept.
func TestNoTokenOfUnreadList(t *testing.T) {
	client, store := tokenClient()
	peer := tokenPeer(scramLines...)
	peer.Issue = issued("a token that is fresh")
	_, err := client.Authenticate(t.Context(), unreadable{peer}, tokenSrv)
	if kept := held(t, store, tokenAccount); sasl.ClassOf(err) != sasl.ErrConnection || len(kept) > 0 {
		t.Errorf("%v, kept %v", err, kept)
	}
}

// TestMemoryTokensKeepCopies: a list that a caller alters later is not what is
// kept.
func TestMemoryTokensKeepCopies(t *testing.T) {
	store := new(sasl.MemoryTokens)
	given := []sasl.Token{token("EXPR")}
	put(store, tokenAccount, given...)
	given[0].Count = 7
	var lent []sasl.Token
	store.Update(t.Context(), tokenAccount, func(tokens []sasl.Token) []sasl.Token {
		lent = tokens
		return tokens
	})
	lent[0].Count = 8
	if kept := list(held(t, store, tokenAccount)); kept != "HT-SHA-256-EXPR "+tokenText+" 0;" {
		t.Errorf("kept %q", kept)
	}
}
