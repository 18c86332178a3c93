package sasl_test

import (
	"context"
	"errors"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// TestTokenAuthorize shows that a token does not log in a user whom Authorize
// refuses, and that nobody logs in if the store fails.
func TestTokenAuthorize(t *testing.T) {
	server, store := issuer()
	put(store, phone, token("EXPR"))
	server.Authorize = func(context.Context, sasl.Identity, sasl.ConnInfo) error { return errors.New("locked") }
	respond := func() error {
		session, err := server.BeginWithToken(t.Context(), tokenConn, usedByPhone, "HT-SHA-256-EXPR")
		if err != nil {
			t.Fatal(err)
		}
		_, done, err := session.Respond(t.Context(), []byte(boundInitiator))
		if done {
			t.Error("done")
		}
		return err
	}
	if err := respond(); sasl.ClassOf(err) != sasl.ErrAuthorization {
		t.Error(err)
	}
	server.Authorize = nil
	for _, broken := range []sasl.TokenStore{&failing{store, 0, errors.New("down")}, forgetful{store}} {
		server.Tokens.Store = broken
		if err := respond(); sasl.ClassOf(err) != sasl.ErrTemporary {
			t.Error(err)
		}
	}
	server.Tokens.Store = lazy{}
	if err := respond(); sasl.ClassOf(err) != sasl.ErrAuthentication {
		t.Error(err)
	}
}

// TestIssueToken shows the clients and mechanisms for which a server issues a token,
// and the effect on earlier tokens.
func TestIssueToken(t *testing.T) {
	server, store := issuer()
	expiry := time.Now().Add(time.Hour)
	session, err := server.Begin(t.Context(), tokenConn, "PLAIN")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.IssueToken(t.Context(), "phone", "HT-SHA-256-EXPR", expiry); sasl.ClassOf(err) != sasl.ErrPolicy {
		t.Errorf("before the end: %v", err)
	}
	if _, done, err := session.Respond(t.Context(), []byte("\x00user\x00pencil")); !done {
		t.Fatal(err)
	}
	for _, name := range []string{"PLAIN", "HT-SHA-256-UNIQ", "HT-SHA-256-ELSE", "SCRAM-SHA-256", ""} {
		if _, err := session.IssueToken(t.Context(), "phone", name, expiry); sasl.ClassOf(err) != sasl.ErrPolicy {
			t.Errorf("for %q: %v", name, err)
		}
	}
	var issued []sasl.Token
	for range 3 {
		token, err := session.IssueToken(t.Context(), "phone", "HT-SHA-256-NONE", expiry)
		if err != nil || token.Mechanism != "HT-SHA-256-NONE" || !token.Expiry.Equal(expiry) || len(token.Secret.Bytes()) < 60 {
			t.Fatalf("%+v, %v", token, err)
		}
		issued = append(issued, token)
	}
	if got, want := list(held(t, store, phone)), list([]sasl.Token{issued[0], issued[2]}); got != want || list(issued[:1]) == list(issued[1:2]) {
		t.Errorf("kept %q, want %q", got, want)
	}
	for name, row := range map[string]struct {
		client, mechanism, message string
	}{
		"nobody":         {"phone", "ANONYMOUS", "sirhc"},
		"without a name": {"", "PLAIN", "\x00user\x00pencil"},
	} {
		session, err := server.Begin(t.Context(), tokenConn, row.mechanism)
		if err != nil {
			t.Fatal(err)
		}
		if _, done, err := session.Respond(t.Context(), []byte(row.message)); !done {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := session.IssueToken(t.Context(), row.client, "HT-SHA-256-NONE", expiry); sasl.ClassOf(err) != sasl.ErrPolicy {
			t.Errorf("%s: %v", name, err)
		}
	}
	session.Respond(t.Context(), []byte("more"))
	if _, err := session.IssueToken(t.Context(), "phone", "HT-SHA-256-EXPR", expiry); sasl.ClassOf(err) != sasl.ErrPolicy {
		t.Errorf("after an error: %v", err)
	}
}

// visitor is an ANONYMOUS of another module, which does not declare that its
// client has no identity.
type visitor struct{ sasl.ServerMechanism }

// TestIssueTokenToForeignAnonymous shows that the mechanism's name is enough to know
// that the client has no identity.
func TestIssueTokenToForeignAnonymous(t *testing.T) {
	server, _ := issuer()
	server.Mechanisms = []sasl.ServerMechanism{visitor{sasl.AnonymousServer(func(context.Context, string) (string, error) { return "visitor", nil })}}
	session, err := server.Begin(t.Context(), tokenConn, "ANONYMOUS")
	if err != nil {
		t.Fatal(err)
	}
	if _, done, err := session.Respond(t.Context(), []byte("somebody")); !done {
		t.Fatal(err)
	}
	if _, err := session.IssueToken(t.Context(), "phone", "HT-SHA-256-EXPR", time.Now().Add(time.Hour)); sasl.ClassOf(err) != sasl.ErrPolicy {
		t.Error(err)
	}
}

// guest is a mechanism of another name that declares that its client has no
// identity.
type guest struct{ sasl.ServerMechanism }

func (guest) Name() string                { return "X-GUEST" }
func (guest) Properties() sasl.Properties { return sasl.Properties{Anonymous: true} }

// TestIssueTokenToGuest shows that a mechanism can declare that there is no identity.
func TestIssueTokenToGuest(t *testing.T) {
	server, _ := issuer()
	server.Mechanisms = []sasl.ServerMechanism{guest{sasl.AnonymousServer(func(context.Context, string) (string, error) { return "guest", nil })}}
	session, err := server.Begin(t.Context(), tokenConn, "X-GUEST")
	if err != nil {
		t.Fatal(err)
	}
	if _, done, err := session.Respond(t.Context(), []byte("somebody")); !done {
		t.Fatal(err)
	}
	if _, err := session.IssueToken(t.Context(), "phone", "HT-SHA-256-EXPR", time.Now().Add(time.Hour)); sasl.ClassOf(err) != sasl.ErrPolicy {
		t.Error(err)
	}
}
