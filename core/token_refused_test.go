package sasl_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestTokenRefused shows that the client deletes the token, and that no later
// mechanism reveals a secret to the server, also if a person chooses the mechanism.
func TestTokenRefused(t *testing.T) {
	type lines = []sasltest.Line
	no := refuse(sasl.NotAuthorized)
	kept := "HT-SHA-256-EXPR " + tokenText + " 1;"
	plain := func(_ *sasl.Client, s *tokenInfo) { s.Mechanisms = []string{"PLAIN"} }
	for _, row := range []struct {
		name   string
		lines  lines
		change func(*sasl.Client, *tokenInfo)
		class  sasl.Class
		kept   string
		text   string
	}{
		{"SCRAM follows", append(lines{c(boundInitiator), no}, scramLines...), nil, "", "", ""},
		{"after its end too", append(lines{c(boundInitiator), refuse(sasl.CredentialsExpired)}, scramLines...), nil, "", "", ""},
		{"and after any other word", append(lines{c(boundInitiator), refuse(sasl.InvalidMechanism)}, scramLines...), nil, "", "", ""},
		{"PLAIN does not", lines{c(boundInitiator), no}, plain, sasl.ErrAuthentication, "", "nothing may follow: policy error: no mechanism is left: the server offers PLAIN; PLAIN: the mechanism would reveal the secret"},
		{"nor when a person is asked", lines{c(boundInitiator), no, c(rfc7677ClientFirst), no}, askFor(sasl.Plain(pencil)), sasl.ErrAuthentication, "", "would reveal the secret"},
		{"nor a mechanism of another's with such a name", lines{c(boundInitiator), no}, func(c *sasl.Client, s *tokenInfo) {
			c.Mechanisms, s.Mechanisms = []sasl.Mechanism{named("XOAUTH2"), named("LOGIN"), named("OAUTHBEARER")}, []string{"LOGIN", "XOAUTH2", "OAUTHBEARER"}
		}, sasl.ErrAuthentication, "", "would reveal the secret"},
		{"SCRAM is refused as well", lines{c(boundInitiator), no, c(rfc7677ClientFirst), no}, nil, sasl.ErrAuthentication, "", "refused with not-authorized"},
		{"another came in the meantime", append(lines{c(boundInitiator), no}, scramLines...), func(c *sasl.Client, _ *tokenInfo) {
			c.Tokens.Store = &overtaken{TokenStore: c.Tokens.Store}
		}, "", "HT-SHA-256-EXPR of another run 0;", ""},
		{"the server is busy", lines{c(boundInitiator), refuse(sasl.TemporaryAuthFailure)}, nil, sasl.ErrTemporary, kept, ""},
		{"the account is disabled", lines{c(boundInitiator), refuse(sasl.AccountDisabled)}, nil, sasl.ErrAuthorization, kept, ""},
		{"nor after another word", lines{c(boundInitiator), refuse(sasl.TemporaryAuthFailure)}, askFor(sasl.Plain(pencil)), sasl.ErrTemporary, kept, "would reveal the secret"},
		{"nor after another of those", lines{c(boundInitiator), refuse(sasl.AccountDisabled)}, askFor(sasl.Plain(pencil)), sasl.ErrAuthorization, kept, "would reveal the secret"},
		{"but SCRAM when a person is asked", append(lines{c(boundInitiator), refuse(sasl.TemporaryAuthFailure)}, scramLines...), askFor(sasl.SCRAM(sasl.SHA256, pencil)), "", kept, ""},
		{"after malformed-request, which says nothing of a binding", append(lines{c(boundInitiator), refuse(sasl.MalformedRequest)}, scramLines...), nil, "", "", ""},
		{"a cut", lines{c(boundInitiator), cut, closes}, nil, sasl.ErrConnection, kept, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			client, store := tokenClient()
			srv := tokenInfo{tokenSrv, tokenOffer}
			put(store, tokenAccount, token("EXPR"))
			if row.change != nil {
				row.change(client, &srv)
			}
			peer := tokenPeer(row.lines...)
			_, err := client.Authenticate(t.Context(), peer, srv.ServerInfo)
			if sasl.ClassOf(err) != row.class || err != nil && !strings.Contains(err.Error(), row.text) {
				t.Errorf("class %q, want %q; %v", sasl.ClassOf(err), row.class, err)
			}
			if strings.Contains(row.text, "would reveal the secret") {
				var login *sasl.LoginError
				if !errors.As(err, &login) || login.NotTried != nil || len(login.PassedOver) == 0 || !login.ByServer {
					t.Errorf("%+v", login)
				}
			}
			if kept := list(held(t, store, tokenAccount)); kept != row.kept {
				t.Errorf("kept %q, want %q", kept, row.kept)
			}
			if last := peer.Requests[len(peer.Requests)-1]; len(peer.Requests) == 2 && last.Mechanism != "HT-SHA-256-EXPR" {
				t.Errorf("after the refusal the client requests no token: %+v", last)
			}
			if err := peer.Fault(); err != nil {
				t.Error(err)
			}
		})
	}
}

var pencil = sasl.Password("user", "pencil")

// askFor makes a person choose the mechanism of the next attempt.
func askFor(m sasl.Mechanism) func(*sasl.Client, *tokenInfo) {
	return func(c *sasl.Client, _ *tokenInfo) {
		next := *c
		next.Mechanisms = []sasl.Mechanism{m}
		c.Retry = func(context.Context, error) *sasl.Client { return &next }
	}
}

// TestTokenNoAnswer shows that the end of an exchange without the server's answer
// about the token has the same effect as a refusal.
func TestTokenNoAnswer(t *testing.T) {
	client, store := tokenClient()
	put(store, tokenAccount, token("EXPR"))
	askFor(sasl.Plain(pencil))(client, nil)
	conn := &answering{err: sasl.ErrProtocol}
	if _, err := client.Authenticate(t.Context(), conn, tokenSrv); !errors.Is(err, sasl.ErrProtocol) || !strings.Contains(err.Error(), "would reveal the secret") || len(conn.sent) != 1 {
		t.Errorf("%v after %q", err, conn.sent)
	}
}

// answering is a server that answers with one error, and acknowledges the end of
// the exchange.
type answering struct {
	err       error
	challenge []byte // the first answer, if not nil
	sent      []string
}

func (*answering) TokenMechanisms() []string       { return tokenOffer }
func (*answering) RequestTokens(sasl.TokenRequest) {}
func (*answering) IssuedToken() *sasl.IssuedToken  { return nil }
func (p *answering) Initiate(_ context.Context, mechanism string, _ []byte) (sasl.Reply, error) {
	p.sent = append(p.sent, mechanism)
	return sasl.Reply{Data: p.challenge}, p.err
}
func (*answering) Respond(context.Context, []byte) (sasl.Reply, error) {
	return sasl.Reply{}, sasl.ErrProtocol
}
func (*answering) Abort(context.Context) error { return nil }
func (*answering) Close() error                { return nil }

// named is a mechanism of another module.
type named string

func (n named) Name() string               { return string(n) }
func (named) New(sasl.Terms) sasl.Exchange { panic("used") }

// TestTokenNotDeleted shows that the error does not report a deletion that the store
// did not perform.
func TestTokenNotDeleted(t *testing.T) {
	for fails, says := range map[bool]bool{false: true, true: false} {
		client, store := tokenClient()
		client.Mechanisms = client.Mechanisms[1:] // PLAIN
		put(store, tokenAccount, token("EXPR"))
		if fails {
			client.Tokens.Store = &failing{TokenStore: store, after: 1, err: errors.New("the disk is full")}
		}
		_, err := client.Authenticate(t.Context(), tokenPeer(c(boundInitiator), refuse(sasl.NotAuthorized)), tokenSrv)
		if !errors.Is(err, sasl.ErrAuthentication) || strings.Contains(err.Error(), "the token is deleted") != says || len(held(t, store, tokenAccount)) == 0 != says {
			t.Errorf("the store fails %t: %v", fails, err)
		}
	}
}

// TestTokenNotTried shows that an error after a token names the mechanisms that may
// still follow the token.
func TestTokenNotTried(t *testing.T) {
	client, store := tokenClient()
	put(store, tokenAccount, token("EXPR"))
	_, err := client.Authenticate(t.Context(), tokenPeer(c(boundInitiator), refuse(sasl.TemporaryAuthFailure)), tokenSrv)
	var login *sasl.LoginError
	if !errors.As(err, &login) || strings.Join(login.NotTried, " ") != "SCRAM-SHA-256" {
		t.Errorf("%+v", login)
	}
}

// TestRelistAfterToken shows that a mechanism that may not follow a token is no sign
// of an attack in a later list, because the client would not have used it.
func TestRelistAfterToken(t *testing.T) {
	client, store := tokenClient()
	client.Mechanisms[0], client.Mechanisms[1] = client.Mechanisms[1], client.Mechanisms[0] // PLAIN comes first
	put(store, tokenAccount, token("EXPR"))
	peer := tokenPeer(append([]sasltest.Line{c(boundInitiator), refuse(sasl.NotAuthorized)}, scramLines...)...)
	peer.Later = []string{"PLAIN", "SCRAM-SHA-256"}
	result, err := client.Authenticate(t.Context(), peer, tokenSrv)
	if err != nil || result.Mechanism != "SCRAM-SHA-256" {
		t.Errorf("%+v, %v", result, err)
	}
}
