package sasl_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// TestTokenThatIsNone gives a client's mechanism what it cannot send, and an
// answer too many.
func TestTokenThatIsNone(t *testing.T) {
	good := token("NONE")
	for name, row := range map[string]struct {
		username string
		token    sasl.Token
		want     string
		class    sasl.Class
	}{
		"as it is":           {"user", good, noneInitiator, ""},
		"a name to prepare":  {"us\u00ADer", good, noneInitiator, ""},
		"no name":            {"", good, "", sasl.ErrConfig},
		"a forbidden name":   {"us\x07er", good, "", sasl.ErrConfig},
		"a name of 1025":     {strings.Repeat("a", 1025), good, "", sasl.ErrConfig},
		"an empty token":     {"user", sasl.Token{Mechanism: "HT-SHA-256-NONE"}, "", sasl.ErrPolicy},
		"a token of 1025":    {"user", sasl.Token{Secret: sasl.NewSecret(strings.Repeat("x", 1025))}, "", sasl.ErrPolicy},
		"a name with no end": {"us\x00er", good, "", sasl.ErrConfig},
	} {
		exchange := sasl.HashedToken("HT-SHA-256-NONE", row.username, row.token).New(sasl.Terms{})
		out, done, err := exchange.Step(t.Context(), nil)
		if string(out) != row.want || done || sasl.ClassOf(err) != row.class {
			t.Errorf("%s: %q, done %t, %v", name, out, done, err)
		}
		if _, done, again := exchange.Step(t.Context(), []byte(noneResponder)); (again == nil) != (err == nil) || done != (err == nil) {
			t.Errorf("%s: then done %t, %v", name, done, again)
		}
		if _, done, err := exchange.Step(t.Context(), []byte(noneResponder)); done || err == nil {
			t.Errorf("%s: a second answer: done %t, %v", name, done, err)
		}
	}
}

// TestTokenMessages gives a server invalid messages of the mechanism, also if it
// has an account without a name.
func TestTokenMessages(t *testing.T) {
	server, store := issuer()
	server.Canonical = func(name string) (string, error) { return name, nil }
	nobody := phone
	nobody.Username = ""
	put(store, nobody, token("EXPR"))
	mac := boundInitiator[len("user\x00"):]
	for _, message := range []string{"", "user", "user\x00", "\x00" + mac, "us\xffer\x00" + mac, strings.Repeat("a", 1025) + "\x00" + mac} {
		session, err := server.BeginWithToken(t.Context(), tokenConn, usedByPhone, "HT-SHA-256-EXPR")
		if err != nil {
			t.Fatal(err)
		}
		if _, done, err := session.Respond(t.Context(), []byte(message)); done || sasl.ClassOf(err) != sasl.ErrProtocol {
			t.Errorf("%.8q: done %t, %v", message, done, err)
		}
	}
}

// TestTokenBoundToNothing: the message of HT-SHA-256-NONE is of no binding,
// whatever the connection has.
func TestTokenBoundToNothing(t *testing.T) {
	server, store := issuer()
	put(store, phone, token("NONE"))
	conn := tokenConn
	conn.Bindings = []sasl.ChannelBinding{{Type: "", Data: []byte("exporter data")}, exporter}
	session, err := server.BeginWithToken(t.Context(), conn, usedByPhone, "HT-SHA-256-NONE")
	if err != nil {
		t.Fatal(err)
	}
	answer, done, err := session.Respond(t.Context(), []byte(noneInitiator))
	if err != nil || !done || string(answer) != noneResponder || session.Result().Binding != "" {
		t.Errorf("%q, done %t, %v, %+v", answer, done, err, session.Result())
	}
	// A binding without data is none, so the second of the type counts.
	put(store, phone, token("EXPR"))
	conn.Bindings = []sasl.ChannelBinding{{Type: "tls-exporter"}, exporter}
	if session, err = server.BeginWithToken(t.Context(), conn, usedByPhone, "HT-SHA-256-EXPR"); err != nil {
		t.Fatal(err)
	}
	if answer, done, err = session.Respond(t.Context(), []byte(boundInitiator)); err != nil || !done || string(answer) != boundResponder {
		t.Errorf("%q, done %t, %v", answer, done, err)
	}
}

// TestEchoOfTheMAC: a server that repeats the client's MAC, as it is or in base64,
// gets it into no error and no trace.
func TestEchoOfTheMAC(t *testing.T) {
	mac := boundInitiator[len("user\x00"):]
	for name, echo := range map[string]string{
		"as it is":                   mac,
		"base64":                     base64.StdEncoding.EncodeToString([]byte(mac)),
		"base64 of the message":      base64.StdEncoding.EncodeToString([]byte(boundInitiator)),
		"base64, the other alphabet": base64.RawURLEncoding.EncodeToString([]byte(mac)),
	} {
		client, store := tokenClient()
		put(store, tokenAccount, token("EXPR"))
		var trace strings.Builder
		client.Trace = func(e sasl.Event) { trace.WriteString(e.String() + "\n") }
		_, err := client.Authenticate(t.Context(), &answering{err: &sasl.Failure{Condition: sasl.TemporaryAuthFailure, Text: "not now: " + echo}}, tokenSrv)
		if want := "temporary error: refused with temporary-auth-failure: (withheld: it repeats a secret)"; err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.HasSuffix(trace.String(), "S! temporary-auth-failure (withheld: it repeats a secret)\n") {
			t.Errorf("%s: %s", name, trace.String())
		}
	}
}

// TestTokenIsNotDescribed shows that the description of any other message contains
// nothing of that message, also before the client has sent its own.
func TestTokenIsNotDescribed(t *testing.T) {
	exchange := sasl.HashedToken("HT-SHA-256-NONE", "user", token("NONE")).New(sasl.Terms{})
	describe := exchange.(interface{ Describe([]byte) string }).Describe
	if text := describe([]byte(noneResponder)); text != "mac=…" {
		t.Errorf("before the message: %s", text)
	}
	exchange.Step(t.Context(), nil)
	for message, want := range map[string]string{noneInitiator: `username="user" mac=…`, noneResponder: "mac=…"} {
		if text := describe([]byte(message)); text != want {
			t.Errorf("%q: %s", message, text)
		}
	}
}

// TestTokensByDefault: a server that names no mechanism offers those that bind. A
// store that fails issues nothing.
func TestTokensByDefault(t *testing.T) {
	server, store := issuer()
	server.Tokens.Mechanisms = nil
	conn := tokenConn
	conn.Bindings = []sasl.ChannelBinding{endPoint, exporter}
	if offered := strings.Join(server.OfferTokens(conn), " "); offered != "HT-SHA-256-EXPR HT-SHA-256-ENDP" {
		t.Errorf("%s", offered)
	}
	session, err := server.Begin(t.Context(), conn, "PLAIN")
	if err != nil {
		t.Fatal(err)
	}
	if _, done, err := session.Respond(t.Context(), []byte("\x00user\x00pencil")); !done {
		t.Fatal(err)
	}
	down := errors.New("down")
	server.Tokens.Store = &failing{store, 0, down}
	issued, err := session.IssueToken(t.Context(), "phone", "HT-SHA-256-EXPR", time.Time{})
	if sasl.ClassOf(err) != sasl.ErrTemporary || !errors.Is(err, down) || len(issued.Secret.Bytes()) > 0 {
		t.Errorf("%v", err)
	}
}
