package sasl_test

import (
	"context"
	"crypto/fips140"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

func issued(token string) *sasl.IssuedToken {
	return &sasl.IssuedToken{Token: sasl.NewSecret(token), Expiry: time.Now().Add(time.Hour)}
}

// list shows tokens: the mechanism, the secret and the count.
func list(tokens []sasl.Token) (text string) {
	for _, t := range tokens {
		text += fmt.Sprintf("%s %s %d;", t.Mechanism, t.Secret.Bytes(), t.Count)
	}
	return text
}

// TestTokenRun shows the tokens that the store keeps after each kind of run.
func TestTokenRun(t *testing.T) {
	type lines = []sasltest.Line
	const fresh = "a token that is fresh"
	ok := sasltest.Line{Op: sasltest.Succeed, Data: []byte(boundResponder)}
	early := lines{c(rfc7677ClientFirst), succeed, closes}
	expired := issued(fresh)
	expired.Expiry = time.Now().Add(-time.Second)
	before := "HT-SHA-256-EXPR " + tokenText + " 1;"
	for _, row := range []struct {
		name   string
		held   []sasl.Token
		lines  lines
		issue  *sasl.IssuedToken
		change func(*sasl.Client, *tokenInfo)
		class  sasl.Class
		kept   string
	}{
		{"the token that was asked for", nil, scramLines, issued(fresh), nil, "", "HT-SHA-256-EXPR " + fresh + " 0;"},
		{"none came", nil, scramLines, nil, nil, "", ""},
		{"in the place of others", []sasl.Token{token("NONE"), token("UNIQ")}, scramLines, issued(fresh), nil, "", "HT-SHA-256-EXPR " + fresh + " 0;"},
		{"the same again", []sasl.Token{token("EXPR")}, lines{c(boundInitiator), ok}, issued(tokenText), nil, "", before},
		{"for somebody else, as it turns out", nil, lines{c("x"), s("y"), c("x"), succeed}, issued(fresh), func(c *sasl.Client, s *tokenInfo) {
			c.Mechanisms, s.Mechanisms = []sasl.Mechanism{late{}}, []string{"X-LATE"}
		}, "", ""},
		{"without an expiry", nil, scramLines, &sasl.IssuedToken{Token: sasl.NewSecret(fresh)}, nil, "", "HT-SHA-256-EXPR " + fresh + " 0;"},
		{"expired", nil, scramLines, expired, nil, "", ""},
		{"empty", nil, scramLines, issued(""), nil, "", ""},
		{"too long", nil, scramLines, issued(strings.Repeat("x", 1025)), nil, "", ""},
		{"not asked for", nil, scramLines, issued(fresh), func(_ *sasl.Client, s *tokenInfo) { s.tokens = nil }, "", ""},
		{"by a server that is not secure", nil, scramLines, issued(fresh), func(c *sasl.Client, s *tokenInfo) { s.Secure, c.Allow = false, allowAll }, "", ""},
		{"before the server proved anything", nil, early, issued(fresh), nil, sasl.ErrSecurity, ""},
		{"with a token, and no other came", []sasl.Token{token("EXPR")}, lines{c(boundInitiator), ok}, nil, nil, "", before},
		{"rotation is for the same mechanism", []sasl.Token{token("EXPR")}, lines{c(boundInitiator), ok}, issued(fresh), nil, "", "HT-SHA-256-EXPR " + fresh + " 0;"},
		{"a wrong answer", []sasl.Token{token("EXPR")}, lines{c(boundInitiator), {Op: sasltest.Succeed, Data: []byte(noneResponder)}, closes}, issued(fresh), nil, sasl.ErrSecurity, before},
		{"no answer", []sasl.Token{token("EXPR")}, lines{c(boundInitiator), succeed, closes}, issued(fresh), nil, sasl.ErrSecurity, before},
		{"invalidated", []sasl.Token{token("EXPR")}, lines{c(boundInitiator), ok}, nil, invalidate, "", ""},
		{"invalidated, and another came", []sasl.Token{token("EXPR")}, lines{c(boundInitiator), ok}, issued(fresh), invalidate, "", ""},
		{"not invalidated", []sasl.Token{token("EXPR")}, lines{c(boundInitiator), succeed, closes}, nil, invalidate, sasl.ErrSecurity, before},
		{"bound to nothing", []sasl.Token{token("NONE")}, lines{c(noneInitiator), {Op: sasltest.Succeed, Data: []byte(noneResponder)}}, nil,
			func(c *sasl.Client, _ *tokenInfo) { c.Tokens.Mechanisms = []string{"HT-SHA-256-NONE"} }, "", "HT-SHA-256-NONE " + tokenText + " 1;"},
		{"no store", nil, nil, nil, func(c *sasl.Client, _ *tokenInfo) { c.Tokens.Store = nil }, sasl.ErrConfig, ""},
		{"no username", nil, nil, nil, func(c *sasl.Client, _ *tokenInfo) { c.Tokens.Username = "" }, sasl.ErrConfig, ""},
		{"no mechanism", nil, nil, nil, func(c *sasl.Client, _ *tokenInfo) { c.Tokens.Mechanisms = []string{"PLAIN"} }, sasl.ErrConfig, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			client, store := tokenClient()
			srv := tokenInfo{tokenSrv, tokenOffer}
			put(store, tokenAccount, row.held...)
			if row.change != nil {
				row.change(client, &srv)
			}
			client.Trace = func(e sasl.Event) {
				checkSilent(t, "trace", e.String(), tokenText, fresh, boundResponder)
				if said := e.String(); e.Kind == sasl.EventInitiated && strings.HasPrefix(e.Mechanism, "HT-") && said != `C: username="user" mac=…` {
					t.Errorf("trace %q", said)
				}
			}
			peer := tokenPeer(row.lines...)
			peer.Issue, peer.Tokens = row.issue, srv.tokens
			result, err := client.Authenticate(t.Context(), peer, srv.ServerInfo)
			if sasl.ClassOf(err) != row.class {
				t.Errorf("class %q, want %q; %v", sasl.ClassOf(err), row.class, err)
			}
			if err == nil && (result.Username != "user" && result.Mechanism != "X-LATE" || result.RoundTrips != (len(row.lines)+1)/2) {
				t.Errorf("result %+v", result)
			}
			if kept := list(held(t, store, tokenAccount)); kept != row.kept {
				t.Errorf("kept %q, want %q", kept, row.kept)
			}
			if err := peer.Fault(); err != nil {
				t.Error(err)
			}
		})
	}
}

// late is a mechanism that learns its identity only at its end.
type late struct{}

func (late) Name() string                 { return "X-LATE" }
func (late) New(sasl.Terms) sasl.Exchange { return new(lateExchange) }

type lateExchange struct{ steps int }

func (x *lateExchange) Step(context.Context, []byte) ([]byte, bool, error) {
	x.steps++
	return []byte("x"), x.steps == 2, nil
}

func (x *lateExchange) Identity() sasl.Identity {
	if x.steps < 2 {
		return sasl.Identity{}
	}
	return sasl.Identity{Username: "mallory"}
}

func invalidate(c *sasl.Client, _ *tokenInfo) { c.Tokens.Invalidate = true }

// TestTokenCount shows that the count rises with each attempt, also with a failed
// attempt, and that the request asks the server to forget a token if Invalidate is
// set.
func TestTokenCount(t *testing.T) {
	client, store := tokenClient()
	put(store, tokenAccount, token("EXPR"))
	for i, row := range []struct {
		answer     sasltest.Line
		invalidate bool
	}{
		{sasltest.Line{Op: sasltest.Succeed, Data: []byte(boundResponder)}, false},
		{cut, false},
		{refuse(sasl.TemporaryAuthFailure), true},
	} {
		client.Tokens.Invalidate = row.invalidate
		peer := tokenPeer(c(boundInitiator), row.answer)
		client.Authenticate(t.Context(), peer, tokenSrv)
		want := sasl.TokenRequest{Count: uint64(i + 1), Invalidate: row.invalidate}
		if len(peer.Requests) != 1 || peer.Requests[0] != want {
			t.Errorf("%+v, want %+v", peer.Requests, want)
		}
	}
}

// TestTokenStoreFails shows that a failure of the store before the run is the run's
// error. After a success the client is authenticated despite the failure, which the
// trace reports.
func TestTokenStoreFails(t *testing.T) {
	full := errors.New("the disk is full")
	client, store := tokenClient()
	client.Tokens.Store = &failing{store, 0, full}
	if _, err := client.Authenticate(t.Context(), tokenPeer(), tokenSrv); sasl.ClassOf(err) != sasl.ErrConfig || !errors.Is(err, full) {
		t.Error(err)
	}
	client.Tokens.Store = &failing{store, 1, full}
	var trace string
	client.Trace = func(e sasl.Event) { trace += e.String() + "\n" }
	peer := tokenPeer(scramLines...)
	peer.Issue = issued("a token that is fresh")
	if _, err := client.Authenticate(t.Context(), peer, tokenSrv); err != nil {
		t.Error(err)
	}
	if want := "-- token for HT-SHA-256-EXPR kept: failed: config error: the disk is full\n"; !strings.HasSuffix(trace, want) {
		t.Errorf("trace %s, want %s at its end", trace, want)
	}
}

// TestNoTokensThere shows that a library's loop, and an Interface of a protocol
// without tokens, work without tokens.
func TestNoTokensThere(t *testing.T) {
	client, store := tokenClient()
	put(store, tokenAccount, token("EXPR"))
	mechanism := func(s *sasl.Session) error {
		if name, _, err := s.Start(); name != "SCRAM-SHA-256" || err != nil {
			t.Errorf("%s, %v", name, err)
		}
		return &sasl.Failure{}
	}
	client.Drive(t.Context(), io.NopCloser(nil), tokenSrv, mechanism)
	session, err := client.Begin(t.Context(), tokenSrv)
	if err != nil {
		t.Fatal(err)
	}
	mechanism(session)
	peer := tokenPeer(scramLines...)
	if _, err := client.Authenticate(t.Context(), struct{ sasl.Interface }{peer}, tokenSrv); err != nil || len(peer.Requests) != 0 {
		t.Errorf("%v, %+v", err, peer.Requests)
	}
	if kept := list(held(t, store, tokenAccount)); kept != "HT-SHA-256-EXPR "+tokenText+" 0;" {
		t.Errorf("kept %q", kept)
	}
}

// TestTokenFIPS shows that a token of less than 112 bits is an invalid key under FIPS
// 140, and that the client uses every token of ours without FIPS 140.
func TestTokenFIPS(t *testing.T) {
	client, store := tokenClient()
	put(store, tokenAccount, sasl.Token{Mechanism: "HT-SHA-256-EXPR", Secret: sasl.NewSecret("thirteen-char")})
	want := "HT-SHA-256-EXPR"
	if fips140.Enforced() {
		want = "SCRAM-SHA-256"
	}
	client.Trace = func(e sasl.Event) {
		if e.Mechanism != want {
			t.Errorf("%s, want %s", e.Mechanism, want)
		}
	}
	client.Authenticate(t.Context(), tokenPeer(sasltest.Line{Op: sasltest.ClientSends}, refuse(sasl.TemporaryAuthFailure)), tokenSrv)
}
