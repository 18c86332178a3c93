package sasl_test

import (
	"context"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// put replaces the tokens of an account.
func put(store sasl.TokenStore, account sasl.TokenAccount, tokens ...sasl.Token) {
	store.Update(context.Background(), account, func([]sasl.Token) []sasl.Token { return tokens })
}

// held returns the tokens of an account.
func held(t *testing.T, store sasl.TokenStore, account sasl.TokenAccount) (tokens []sasl.Token) {
	t.Helper()
	err := store.Update(t.Context(), account, func(list []sasl.Token) []sasl.Token {
		tokens = append(tokens, list...)
		return list
	})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// giveToken gives the token of a transcript to a client.
func giveToken(t *testing.T, client *sasl.Client, srv *sasl.ServerInfo, tr *sasltest.Transcript) {
	store := new(sasl.MemoryTokens)
	put(store, sasl.TokenAccount{Service: "xmpp", Host: "example.org", Username: tr.Username},
		sasl.Token{Mechanism: tr.TokenFor, Secret: sasl.NewSecret(tr.Token)})
	client.Tokens = &sasl.Tokens{Store: store, Username: tr.Username, Mechanisms: []string{tr.MechanismName}}
	client.Trace = func(e sasl.Event) {
		secrets := []string{tr.Token}
		for _, line := range tr.Lines {
			if mac := line.Data; len(mac) >= 32 {
				secrets = append(secrets, string(mac[len(mac)-32:]))
			}
		}
		checkSilent(t, "trace", e.String(), secrets...)
	}
	srv.Mechanisms = nil
	srv.Service, srv.Host, srv.Secure = "xmpp", "example.org", true
}

// tokenServer is a server that has issued the token of a transcript.
func tokenServer(tr *sasltest.Transcript, username string) *sasl.ServerTokens {
	store := new(sasl.MemoryTokens)
	put(store, sasl.TokenAccount{Service: "xmpp", Host: "example.org", Username: username, ClientID: "phone"},
		sasl.Token{Mechanism: tr.TokenFor, Secret: sasl.NewSecret(tr.Token)})
	return &sasl.ServerTokens{Store: store, Mechanisms: []string{tr.MechanismName}}
}
