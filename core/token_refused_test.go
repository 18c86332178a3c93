package sasl_test

import (
	"context"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestTokenRefused: the token is deleted, and what follows hands no secret to
// the server, not even when a person is asked.
func TestTokenRefused(t *testing.T) {
	type lines = []sasltest.Line
	no := refuse(sasl.NotAuthorized)
	kept := "HT-SHA-256-EXPR " + tokenText + " 1;"
	plain := func(_ *sasl.Client, s *sasl.ServerInfo) { s.Mechanisms = []string{"PLAIN"} }
	for _, row := range []struct {
		name   string
		lines  lines
		change func(*sasl.Client, *sasl.ServerInfo)
		class  sasl.Class
		kept   string
		text   string
	}{
		{"SCRAM follows", append(lines{c(boundInitiator), no}, scramLines...), nil, "", "", ""},
		{"after its end too", append(lines{c(boundInitiator), refuse(sasl.CredentialsExpired)}, scramLines...), nil, "", "", ""},
		{"and after any other word", append(lines{c(boundInitiator), refuse(sasl.InvalidMechanism)}, scramLines...), nil, "", "", ""},
		{"PLAIN does not", lines{c(boundInitiator), no}, plain, sasl.ErrAuthentication, "", "nothing may follow: policy error: no mechanism is left: the server offers PLAIN; PLAIN: it hands the secret"},
		{"nor when a person is asked", lines{c(boundInitiator), no, c(rfc7677ClientFirst), no}, func(c *sasl.Client, _ *sasl.ServerInfo) {
			c.Retry = func(context.Context, error) *sasl.Client {
				return &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("user", "pencil"))}}
			}
		}, sasl.ErrPolicy, "", "hands the secret"},
		{"nor a mechanism of another's with such a name", lines{c(boundInitiator), no}, func(c *sasl.Client, s *sasl.ServerInfo) {
			c.Mechanisms, s.Mechanisms = []sasl.Mechanism{named("XOAUTH2"), named("LOGIN"), named("OAUTHBEARER")}, []string{"LOGIN", "XOAUTH2", "OAUTHBEARER"}
		}, sasl.ErrAuthentication, "", "hands the secret"},
		{"SCRAM is refused as well", lines{c(boundInitiator), no, c(rfc7677ClientFirst), no}, nil, sasl.ErrAuthentication, "", "refused with not-authorized"},
		{"another came in the meantime", append(lines{c(boundInitiator), no}, scramLines...), func(c *sasl.Client, _ *sasl.ServerInfo) {
			c.Tokens.Store = &overtaken{TokenStore: c.Tokens.Store}
		}, "", "HT-SHA-256-EXPR of another run 0;", ""},
		{"the server is busy", lines{c(boundInitiator), refuse(sasl.TemporaryAuthFailure)}, nil, sasl.ErrTemporary, kept, ""},
		{"the account is disabled", lines{c(boundInitiator), refuse(sasl.AccountDisabled)}, nil, sasl.ErrAuthorization, kept, ""},
		{"a binding that does not match", lines{c(boundInitiator), refuse(sasl.MalformedRequest), closes}, nil, sasl.ErrSecurity, kept, "tls-exporter"},
		{"a cut", lines{c(boundInitiator), cut, closes}, nil, sasl.ErrConnection, kept, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			client, store := tokenClient()
			srv := tokenSrv
			put(store, tokenAccount, token("EXPR"))
			if row.change != nil {
				row.change(client, &srv)
			}
			peer := sasltest.NewPeer(row.lines...)
			_, err := client.Authenticate(t.Context(), peer, srv)
			if sasl.ClassOf(err) != row.class || err != nil && !strings.Contains(err.Error(), row.text) {
				t.Errorf("class %q, want %q; %v", sasl.ClassOf(err), row.class, err)
			}
			if kept := list(held(t, store, tokenAccount)); kept != row.kept {
				t.Errorf("kept %q, want %q", kept, row.kept)
			}
			if last := peer.Requests[len(peer.Requests)-1]; len(peer.Requests) == 2 && last.Mechanism != "HT-SHA-256-EXPR" {
				t.Errorf("after it none is asked for: %+v", last)
			}
			if err := peer.Fault(); err != nil {
				t.Error(err)
			}
		})
	}
}

// named is a mechanism of somebody else's.
type named string

func (n named) Name() string               { return string(n) }
func (named) New(sasl.Terms) sasl.Exchange { panic("used") }
