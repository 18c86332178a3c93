package sasl_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// TestTokenPassedOver shows that the trace has the reason if the client passes over a
// token, and that the trace does not mention tokens if there is no token.
func TestTokenPassedOver(t *testing.T) {
	expired, used := token("EXPR"), token("EXPR")
	expired.Expiry = time.Now().Add(-time.Second)
	used.Count = 1<<64 - 1
	for name, row := range map[string]struct {
		held   []sasl.Token
		change func(*sasl.Client, *tokenInfo)
		want   string // after "-- SCRAM-SHA-256"
	}{
		"none":          {nil, nil, ""},
		"of other host": {[]sasl.Token{token("EXPR")}, func(_ *sasl.Client, s *tokenInfo) { s.Host = "example.com" }, ""},
		"no binding":    {[]sasl.Token{token("UNIQ")}, nil, "; passed over HT-SHA-256-UNIQ: this connection does not have the channel binding that the token needs"},
		"unnamed":       {[]sasl.Token{token("NONE")}, nil, "; passed over HT-SHA-256-NONE: not among Tokens.Mechanisms"},
		"expired":       {[]sasl.Token{expired}, nil, "; passed over HT-SHA-256-EXPR: the token has expired, is used up, or cannot be a key here"},
		"used up":       {[]sasl.Token{used}, nil, "; passed over HT-SHA-256-EXPR: the token has expired, is used up, or cannot be a key here"},
		"not offered": {[]sasl.Token{token("EXPR")}, func(_ *sasl.Client, s *tokenInfo) { s.tokens = []string{"HT-SHA-256-ENDP"} },
			"; passed over HT-SHA-256-EXPR: not offered by the server"},
		"not allowed": {[]sasl.Token{token("EXPR")}, func(c *sasl.Client, _ *tokenInfo) {
			c.Allow = func(c sasl.Candidate) error {
				if c.Name == "HT-SHA-256-EXPR" {
					return errors.New("not in this house")
				}
				return nil
			}
		}, "; passed over HT-SHA-256-EXPR: not in this house"},
		"disabled": {[]sasl.Token{token("EXPR")}, func(c *sasl.Client, _ *tokenInfo) { c.Binding = sasl.DisableBinding },
			"; passed over HT-SHA-256-EXPR HT-SHA-256-UNIQ HT-SHA-256-ENDP: DisableBinding"},
		"insecure": {[]sasl.Token{token("EXPR")}, func(c *sasl.Client, s *tokenInfo) { s.Secure, c.Allow = false, allowAll },
			"; passed over HT-SHA-256-EXPR HT-SHA-256-UNIQ HT-SHA-256-ENDP: a token is used only with a server that is Secure"},
		"no host": {[]sasl.Token{token("EXPR")}, func(_ *sasl.Client, s *tokenInfo) { s.Host = "" },
			"; passed over HT-SHA-256-EXPR HT-SHA-256-UNIQ HT-SHA-256-ENDP: a token is used only with a server whose Host is known"},
		"no list of tokens": {[]sasl.Token{token("EXPR")}, func(_ *sasl.Client, s *tokenInfo) { s.tokens = nil }, ""},
	} {
		client, store := tokenClient()
		srv := tokenInfo{tokenSrv, tokenOffer}
		put(store, tokenAccount, row.held...)
		if row.change != nil {
			row.change(client, &srv)
		}
		var trace []string
		client.Trace = func(e sasl.Event) { trace = append(trace, e.String()) }
		peer := tokenPeer(scramLines...)
		peer.Tokens = srv.tokens
		client.Authenticate(t.Context(), peer, srv.ServerInfo)
		if len(trace) == 0 || !strings.HasPrefix(trace[0], "-- SCRAM-SHA-256") {
			t.Fatalf("%s: %q", name, trace)
		}
		selected, _, _ := strings.Cut(strings.TrimPrefix(trace[0], "-- SCRAM-SHA-256"), ", telling")
		if selected != row.want {
			t.Errorf("%s: %q, want %q", name, selected, row.want)
		}
	}
}
