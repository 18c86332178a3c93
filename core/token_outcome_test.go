package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestTokenAndAttack: what becomes of a token, and of the operation, after each
// kind of error. After a suspicion, or on a connection that is lost, the token
// stays and nothing follows.
func TestTokenAndAttack(t *testing.T) {
	refusal := &sasl.Failure{Condition: sasl.NotAuthorized}
	const kept = "HT-SHA-256-EXPR " + tokenText + " 1;"
	for _, row := range []struct {
		name  string
		err   error
		class sasl.Class
		kept  string
		sent  string
	}{
		{"a refusal", refusal, sasl.ErrAuthentication, "", "HT-SHA-256-EXPR SCRAM-SHA-256"},
		{"malformed, which is no binding that is wrong", &sasl.Failure{Condition: sasl.MalformedRequest}, sasl.ErrProtocol, "", "HT-SHA-256-EXPR SCRAM-SHA-256"},
		{"a policy", &sasl.Failure{Condition: sasl.InvalidMechanism}, sasl.ErrPolicy, "", "HT-SHA-256-EXPR SCRAM-SHA-256"},
		{"an account that is disabled", &sasl.Failure{Condition: sasl.AccountDisabled}, sasl.ErrAuthorization, kept, "HT-SHA-256-EXPR"},
		{"a server that is busy", &sasl.Failure{Condition: sasl.TemporaryAuthFailure}, sasl.ErrTemporary, kept, "HT-SHA-256-EXPR"},
		{"an attack", &sasl.Failure{Class: sasl.ErrSecurity}, sasl.ErrSecurity, kept, "HT-SHA-256-EXPR"},
		{"an attack around a refusal", fmt.Errorf("%w: %w", sasl.ErrSecurity, refusal), sasl.ErrSecurity, kept, "HT-SHA-256-EXPR"},
		{"a refusal on a connection that is lost", errors.Join(refusal, sasl.ErrConnection), sasl.ErrAuthentication, kept, "HT-SHA-256-EXPR"},
		{"a cut", sasl.ErrConnection, sasl.ErrConnection, kept, "HT-SHA-256-EXPR"},
		{"an answer that is none", sasl.ErrProtocol, sasl.ErrProtocol, kept, "HT-SHA-256-EXPR"},
	} {
		client, store := tokenClient()
		client.Mechanisms = client.Mechanisms[:1] // SCRAM
		put(store, tokenAccount, token("EXPR"))
		conn := &answering{err: row.err}
		_, err := client.Authenticate(t.Context(), conn, tokenSrv)
		if sasl.ClassOf(err) != row.class || strings.Join(conn.sent, " ") != row.sent {
			t.Errorf("%s: %v after %q", row.name, err, conn.sent)
		}
		if got := list(held(t, store, tokenAccount)); got != row.kept {
			t.Errorf("%s: kept %q, want %q", row.name, got, row.kept)
		}
	}
}

// TestTokenRefusedSaysMore: the error of a token after which nothing may follow
// keeps the hints, the origin and the reasons of the others.
func TestTokenRefusedSaysMore(t *testing.T) {
	for _, row := range []struct {
		err      error
		byServer bool
		hints    string
	}{
		{&sasl.Failure{Condition: sasl.NotAuthorized}, true, "binding"},
		{sasl.ErrProtocol, false, ""},
	} {
		client, store := tokenClient()
		client.Mechanisms = []sasl.Mechanism{sasl.Plain(pencil), sasl.SCRAM(sasl.SHA512, pencil), trivial("X-TEST")}
		next := *client
		client.Retry = func(context.Context, error) *sasl.Client { return &next }
		put(store, tokenAccount, token("UNIQ"), token("EXPR"))
		srv := tokenSrv
		srv.Mechanisms = []string{"PLAIN"}
		_, err := client.Authenticate(t.Context(), &answering{err: row.err}, srv)
		var login *sasl.LoginError
		if !errors.As(err, &login) || login.ByServer != row.byServer || hints(err) != row.hints {
			t.Errorf("%v: %v, %+v", row.err, err, login)
		}
		want := []string{
			"HT-SHA-256-UNIQ: this connection does not have the channel binding that the token needs",
			"PLAIN: the mechanism would reveal the secret to a server that has just received a token",
		}
		if !row.byServer {
			want = want[1:] // of the attempt that Retry made, which looks for no token
		}
		if got := passedOver(err); !slices.Equal(got, want) {
			t.Errorf("%v: %q", row.err, got)
		}
	}
}

// TestTokenIsBound: a run with a token says what it is bound to.
func TestTokenIsBound(t *testing.T) {
	for kind, row := range map[string]struct{ message, answer, binding, selected string }{
		"EXPR": {boundInitiator, boundResponder, "tls-exporter", "-- HT-SHA-256-EXPR bound to tls-exporter"},
		"NONE": {noneInitiator, noneResponder, "", "-- HT-SHA-256-NONE"},
	} {
		client, store := tokenClient("HT-SHA-256-" + kind)
		put(store, tokenAccount, token(kind))
		var trace []string
		client.Trace = func(e sasl.Event) { trace = append(trace, e.String()) }
		result, err := client.Authenticate(t.Context(), tokenPeer(c(row.message), sasltest.Line{Op: sasltest.Succeed, Data: []byte(row.answer)}), tokenSrv)
		if want := (sasl.Result{Mechanism: "HT-SHA-256-" + kind, Binding: row.binding, Username: "user", RoundTrips: 1}); err != nil || result != want {
			t.Errorf("%s: %+v, %v", kind, result, err)
		}
		if trace[0] != row.selected {
			t.Errorf("%s: %s", kind, trace[0])
		}
	}
}

// TestRequiredBindingOfTokens: RequireBinding rules a token out that binds to
// nothing, whether it is to be used or asked for.
func TestRequiredBindingOfTokens(t *testing.T) {
	for _, row := range []struct {
		named, request string
	}{{"HT-SHA-256-NONE", ""}, {"HT-SHA-256-EXPR", "HT-SHA-256-EXPR"}} {
		client, store := tokenClient(row.named)
		client.Binding = sasl.RequireBinding
		client.Mechanisms = []sasl.Mechanism{trivial("X-TEST-PLUS")}
		put(store, tokenAccount, token("NONE"))
		srv := tokenSrv
		srv.Mechanisms = []string{"X-TEST-PLUS"}
		peer := tokenPeer(c("x"), succeed)
		result, err := client.Authenticate(t.Context(), peer, srv)
		if err != nil || result.Mechanism != "X-TEST-PLUS" || len(peer.Requests) != 1 || peer.Requests[0] != (sasl.TokenRequest{Mechanism: row.request}) {
			t.Errorf("%s: %+v, %v, %+v", row.named, result, err, peer.Requests)
		}
	}
}

// TestOverTokensGo: a login deletes what nobody can log in with any more, and
// leaves the rest, also if the run fails.
func TestOverTokensGo(t *testing.T) {
	expired, used, good := token("EXPR"), token("EXPR"), token("UNIQ")
	expired.Expiry, used.Count, good.Expiry = time.Now().Add(-time.Second), 1<<64-1, time.Now().Add(time.Hour)
	client, store := tokenClient()
	put(store, tokenAccount, expired, good, used, sasl.Token{Mechanism: "HT-SHA-256-ENDP"})
	peer := tokenPeer(c(rfc7677ClientFirst), refuse(sasl.NotAuthorized))
	_, err := client.Authenticate(t.Context(), peer, tokenSrv)
	if fault := peer.Fault(); sasl.ClassOf(err) != sasl.ErrAuthentication || fault != nil {
		t.Errorf("%v, %v", err, fault)
	}
	if kept := list(held(t, store, tokenAccount)); kept != "HT-SHA-256-UNIQ "+tokenText+" 0;HT-SHA-256-ENDP  0;" {
		t.Errorf("kept %q", kept)
	}
	want := []string{
		"HT-SHA-256-EXPR: the token has expired, is used up, or cannot be a key here",
		"HT-SHA-256-UNIQ: this connection does not have the channel binding that the token needs",
		"HT-SHA-256-EXPR: the token has expired, is used up, or cannot be a key here",
		"HT-SHA-256-ENDP: the token has expired, is used up, or cannot be a key here",
	}
	if got := passedOver(err); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestTokenOfSecondChoice: if there is no token for the mechanism that is
// preferred, the one for the next is used.
func TestTokenOfSecondChoice(t *testing.T) {
	client, store := tokenClient()
	put(store, tokenAccount, token("ENDP"))
	conn := &answering{err: sasl.ErrConnection}
	if _, err := client.Authenticate(t.Context(), conn, tokenSrv); !slices.Equal(conn.sent, []string{"HT-SHA-256-ENDP"}) {
		t.Errorf("%q, %v", conn.sent, err)
	}
}
