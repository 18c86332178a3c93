package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// move is one step of a played mechanism.
type move struct {
	out  []byte
	done bool
	err  error
}

// played is a mechanism of another module that makes its moves, whatever it
// hears.
type played struct {
	properties sasl.Properties
	moves      []move
	heard      *[]string // what Step got, in Go's syntax; nil = not recorded
}

func (played) Name() string                  { return "X-PLAYED" }
func (m played) Properties() sasl.Properties { return m.properties }
func (m played) New(sasl.Terms) sasl.Exchange {
	return &playedExchange{moves: m.moves, heard: m.heard}
}

type playedExchange struct {
	moves []move
	heard *[]string
}

func (*playedExchange) Identity() sasl.Identity { return sasl.Identity{} }

func (x *playedExchange) Step(_ context.Context, in []byte) ([]byte, bool, error) {
	if x.heard != nil {
		*x.heard = append(*x.heard, fmt.Sprintf("%#v", in))
	}
	if len(x.moves) == 0 {
		return nil, false, fmt.Errorf("%w: no move is left", sasl.ErrConfig)
	}
	next := x.moves[0]
	x.moves = x.moves[1:]
	return next.out, next.done, next.err
}

var playedServer = sasl.ServerInfo{Secure: true, Mechanisms: []string{"X-PLAYED"}}

// begin returns the Session of a run of the mechanism.
func begin(t *testing.T, m sasl.Mechanism) *sasl.Session {
	t.Helper()
	client := sasl.Client{Mechanisms: []sasl.Mechanism{m}}
	session, err := client.Begin(t.Context(), sasl.ServerInfo{Secure: true, Mechanisms: []string{m.Name()}})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// TestSessionStates calls the methods of a Session out of order, and ends it in
// each way except success. Every later call returns the first error.
func TestSessionStates(t *testing.T) {
	x := []byte("x")
	const start, respond, finish, finishWith = 's', 'r', 'f', 'd'
	more, proved := move{out: x}, move{out: x, done: true}
	fails := func(class sasl.Class) move { return move{err: fmt.Errorf("%w: no", class)} }
	for _, row := range []struct {
		name  string
		moves []move
		calls string // the last one has the error
		class sasl.Class
	}{
		{"started twice", []move{more}, "ss", sasl.ErrConfig},
		{"a challenge before the start", []move{proved}, "r", sasl.ErrProtocol},
		{"success before the start", []move{proved}, "f", sasl.ErrProtocol},
		{"success with data before the start", []move{proved, proved}, "d", sasl.ErrProtocol},
		{"a challenge after success", []move{proved, proved}, "sfr", sasl.ErrProtocol},
		{"success after success", []move{proved}, "sff", sasl.ErrProtocol},
		{"a start after success", []move{proved, proved}, "sfs", sasl.ErrConfig},
		{"a first step that fails", []move{fails(sasl.ErrTemporary), proved}, "s", sasl.ErrTemporary},
		{"a step that fails", []move{more, fails(sasl.ErrTemporary), proved}, "sr", sasl.ErrTemporary},
		{"done and an error", []move{more, {out: nil, done: true, err: sasl.ErrTemporary}}, "sr", sasl.ErrTemporary},
		{"success before the proof", []move{more}, "sf", sasl.ErrSecurity},
		{"success after a proof that was taken back", []move{proved, more}, "srf", sasl.ErrSecurity},
		{"data that refuses the credentials", []move{more, fails(sasl.ErrAuthentication)}, "sd", sasl.ErrSecurity},
		{"data that refuses the identity", []move{more, fails(sasl.ErrAuthorization)}, "sd", sasl.ErrSecurity},
		{"data that says to come back", []move{more, fails(sasl.ErrTemporary)}, "sd", sasl.ErrSecurity},
		{"data that breaks the grammar", []move{more, fails(sasl.ErrProtocol)}, "sd", sasl.ErrProtocol},
		{"data that proves nothing", []move{more, {}}, "sd", sasl.ErrSecurity},
		{"data that wants an answer", []move{more, proved}, "sd", sasl.ErrSecurity},
		{"data after which a message and an error come", []move{more, {out: x, err: sasl.ErrProtocol}}, "sd", sasl.ErrSecurity},
		{"a challenge after a message with an error", []move{{out: x, err: sasl.ErrTemporary}, proved}, "sr", sasl.ErrTemporary},
		{"success with data after a message with an error", []move{{out: x, err: sasl.ErrTemporary}, fails(sasl.ErrProtocol)}, "sd", sasl.ErrSecurity},
		{"success after a message with an error", []move{{out: x, err: sasl.ErrTemporary}, proved}, "sf", sasl.ErrSecurity},
	} {
		session := begin(t, played{moves: row.moves})
		call := func(which rune) (err error) {
			switch which {
			case start:
				_, _, err = session.Start()
			case respond:
				_, err = session.Respond([]byte("?"))
			case finish:
				err = session.Finish(nil)
			case finishWith:
				err = session.Finish([]byte("?"))
			}
			return err
		}
		var got error
		for i, which := range row.calls {
			if got = call(which); got != nil && i+1 < len(row.calls) {
				t.Errorf("%s: call %d: %v", row.name, i, got)
			}
		}
		if sasl.ClassOf(got) != row.class || errors.Is(got, sasl.ErrSecurity) != (row.class == sasl.ErrSecurity) {
			t.Errorf("%s: %v, want class %s", row.name, got, row.class)
		}
		for _, which := range "srfds" {
			if again := call(which); again != got {
				t.Errorf("%s: %c says %v after %v", row.name, which, again, got)
			}
		}
	}
}

// TestNilIsNoChallenge has a challenge and a response that are absent: both count
// as empty, because only the first step has no message.
func TestNilIsNoChallenge(t *testing.T) {
	var heard []string
	session := begin(t, played{moves: []move{{}, {done: true}}, heard: &heard})
	if _, initial, err := session.Start(); initial != nil || err != nil {
		t.Errorf("%q, %v", initial, err)
	}
	if response, err := session.Respond(nil); response == nil || len(response) > 0 || err != nil {
		t.Errorf("%#v, %v", response, err)
	}
	if got := fmt.Sprint(heard); got != "[[]byte(nil) []byte{}]" {
		t.Error(got)
	}
}

// TestCancelledMechanism has a mechanism return an error of a context without a
// class: it is an ErrConnection only if the context of the run has ended with it.
func TestCancelledMechanism(t *testing.T) {
	for _, row := range []struct {
		ended bool
		err   error
		class sasl.Class
	}{
		{true, context.Canceled, sasl.ErrConnection},
		{true, fmt.Errorf("a callback: %w", context.Canceled), sasl.ErrConnection},
		{true, fmt.Errorf("%w: %w", sasl.ErrTemporary, context.Canceled), sasl.ErrTemporary},
		{true, errors.New("odd"), sasl.ErrProtocol},
		{false, context.Canceled, sasl.ErrProtocol},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		client := sasl.Client{Mechanisms: []sasl.Mechanism{played{moves: []move{{err: row.err}}}}}
		session, err := client.Begin(ctx, playedServer)
		if err != nil {
			t.Fatal(err)
		}
		if row.ended {
			cancel()
		}
		if _, _, err := session.Start(); sasl.ClassOf(err) != row.class || !errors.Is(err, row.err) {
			t.Errorf("the context has ended %t, %v: %v", row.ended, row.err, err)
		}
		cancel()
		if _, err := client.Begin(ctx, playedServer); sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, context.Canceled) {
			t.Errorf("a run that begins too late: %v", err)
		}
	}
}

// TestSessionErr: the error of a run is there as soon as it has failed, also before
// the loop has sent the last message.
func TestSessionErr(t *testing.T) {
	session, err := bearerClient(sasl.FixedBearerToken("alice", "tok")).Begin(t.Context(), bearerSrv)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := session.Start(); err != nil || session.Err() != nil {
		t.Errorf("%v, %v", err, session.Err())
	}
	response, err := session.Respond([]byte(`{"status":"invalid_token"}`))
	var refused *sasl.BearerError
	if err != nil || string(response) != "\x01" || !errors.As(session.Err(), &refused) || refused.Status != "invalid_token" {
		t.Errorf("%q, %v, %v", response, err, session.Err())
	}
}
