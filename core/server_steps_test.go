package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// beginServer returns a server's run of the mechanism on a Secure connection.
func beginServer(t *testing.T, server *sasl.Server, mechanism string) *sasl.ServerSession {
	t.Helper()
	session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true}, mechanism)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// TestServerAfterTheEnd shows that an error of a run is its last outcome, and that
// Refused is called once, unless the client has authenticated before. The mechanism hears one message, and
// the answer to a message with a failure.
func TestServerAfterTheEnd(t *testing.T) {
	x := []byte("x")
	for _, row := range []struct {
		name      string
		moves     []move
		responses []string
		class     sasl.Class // of the last response
		told      int
	}{
		{"a message after success", []move{{done: true}, {done: true}}, []string{"a", "b"}, sasl.ErrProtocol, 0},
		{"an error", []move{{err: sasl.ErrAuthentication}, {done: true}}, []string{"a"}, sasl.ErrAuthentication, 1},
		{"an error without a class", []move{{err: errors.New("odd")}, {done: true}}, []string{"a"}, sasl.ErrProtocol, 1},
		{"a message with an error", []move{{out: x, err: sasl.ErrSecurity}, {done: true}}, []string{"a", ""}, sasl.ErrSecurity, 1},
		{"a message with an error without a class", []move{{out: x, err: errors.New("odd")}, {done: true}}, []string{"a", "b"}, sasl.ErrProtocol, 1},
		{"a last challenge that is answered with more", []move{{out: x, done: true}, {done: true}}, []string{"a", "b"}, sasl.ErrProtocol, 1},
		{"done and an error", []move{{done: true, err: sasl.ErrTemporary}, {done: true}}, []string{"a"}, sasl.ErrTemporary, 1},
	} {
		var heard []string
		told := 0
		server := sasl.Server{
			Mechanisms: []sasl.ServerMechanism{playedAtServer{moves: row.moves, heard: &heard}},
			Refused:    func(string, sasl.ConnInfo, error) { told++ },
		}
		session := beginServer(t, &server, "X-PLAYED")
		var err error
		var done bool
		for i, response := range row.responses {
			if _, done, err = session.Respond(t.Context(), []byte(response)); err != nil && i+1 < len(row.responses) {
				t.Errorf("%s: response %d: %v", row.name, i, err)
			}
		}
		if done || sasl.ClassOf(err) != row.class {
			t.Errorf("%s: done %t, %v", row.name, done, err)
		}
		for range 2 {
			if challenge, done, again := session.Respond(t.Context(), []byte{}); challenge != nil || done || again != err {
				t.Errorf("%s: then %q, done %t, %v after %v", row.name, challenge, done, again, err)
			}
		}
		want := 1
		if first := row.moves[0]; first.out != nil && first.err != nil {
			want = 2 // the answer to the message with the failure
		}
		if len(heard) != want || told != row.told {
			t.Errorf("%s: the mechanism heard %d messages, told %d times", row.name, len(heard), told)
		}
	}
}

// TestServerBounds: a run has sixteen steps at most, and an absent response is an
// empty one except at its beginning.
func TestServerBounds(t *testing.T) {
	for steps, class := range map[int]sasl.Class{16: "", 17: sasl.ErrProtocol} {
		moves := slices.Repeat([]move{{out: []byte("x")}}, steps)
		moves[steps-1] = move{done: true}
		session := beginServer(t, &sasl.Server{Mechanisms: []sasl.ServerMechanism{playedAtServer{moves: moves}}}, "X-PLAYED")
		var err error
		var done bool
		for range steps {
			if _, done, err = session.Respond(t.Context(), []byte("y")); err != nil {
				break
			}
		}
		if sasl.ClassOf(err) != class || done != (class == "") {
			t.Errorf("%d steps: done %t, %v", steps, done, err)
		}
	}
	var heard []string
	session := beginServer(t, &sasl.Server{Mechanisms: []sasl.ServerMechanism{playedAtServer{moves: []move{{out: []byte{}}, {done: true}}, heard: &heard}}}, "X-PLAYED")
	session.Respond(t.Context(), nil)
	if _, done, err := session.Respond(t.Context(), nil); !done || err != nil {
		t.Errorf("done %t, %v", done, err)
	}
	if got := fmt.Sprint(heard); got != "[[]byte(nil) []byte{}]" {
		t.Error(got)
	}
}

// TestOneMessage shows that a mechanism of one message accepts and sends no second
// message, after every outcome of the first.
func TestOneMessage(t *testing.T) {
	refuse := func(context.Context, string, sasl.Secret) error { return sasl.ErrAuthentication }
	for name, exchange := range map[string]sasl.Exchange{
		"PLAIN":                sasl.Plain(pencil).New(sasl.Terms{}),
		"PLAIN, no password":   sasl.Plain(sasl.Password("user", "")).New(sasl.Terms{}),
		"EXTERNAL":             sasl.External("").New(sasl.Terms{}),
		"EXTERNAL, no UTF-8":   sasl.External("\xff").New(sasl.Terms{}),
		"ANONYMOUS":            sasl.Anonymous("").New(sasl.Terms{}),
		"ANONYMOUS, forbidden": sasl.Anonymous("\x07").New(sasl.Terms{}),
	} {
		out, done, first := exchange.Step(t.Context(), nil)
		if done != (first == nil) || (out != nil) != (first == nil) {
			t.Errorf("%s: %q, done %t, %v", name, out, done, first)
		}
		for range 2 {
			out, done, err := exchange.Step(t.Context(), []byte{})
			if out != nil || done || err == nil || first != nil && err != first || first == nil && sasl.ClassOf(err) != sasl.ErrProtocol {
				t.Errorf("%s: then %q, done %t, %v", name, out, done, err)
			}
		}
	}
	terms := sasl.ServerTerms{
		Canonical: func(name string) (string, error) { return name, nil },
		Authorize: func(context.Context, sasl.Identity) error { return nil },
	}
	for check, class := range map[bool]sasl.Class{true: sasl.ErrProtocol, false: sasl.ErrAuthentication} {
		exchange := sasl.PlainServer(accept).New(terms)
		if !check {
			exchange = sasl.PlainServer(refuse).New(terms)
		}
		if out, done, err := exchange.Step(t.Context(), nil); out == nil || len(out) > 0 || done || err != nil {
			t.Errorf("no message yet: %q, done %t, %v", out, done, err)
		}
		if _, done, _ := exchange.Step(t.Context(), []byte("\x00user\x00pencil")); done != check {
			t.Errorf("the message: done %t", done)
		}
		for _, in := range [][]byte{nil, []byte("\x00user\x00pencil")} {
			if out, done, err := exchange.Step(t.Context(), in); out != nil || done || sasl.ClassOf(err) != class {
				t.Errorf("a second message: %q, done %t, %v", out, done, err)
			}
		}
	}
}
