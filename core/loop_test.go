package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// answer is what an Interface returns for a message.
type answer struct {
	reply sasl.Reply
	err   error
}

// answers is a server that gives answers, and notes how it is called.
type answers struct {
	list  []answer
	calls string
	after func() // called before each answer; nil = nothing
}

func (a *answers) next(call string) (sasl.Reply, error) {
	a.calls += call
	if a.after != nil {
		a.after()
	}
	if len(a.list) == 0 {
		return sasl.Reply{}, errors.New("no answer is left")
	}
	next := a.list[0]
	a.list = a.list[1:]
	return next.reply, next.err
}

func (a *answers) Initiate(context.Context, string, []byte) (sasl.Reply, error) {
	return a.next("initiate ")
}

func (a *answers) Respond(context.Context, []byte) (sasl.Reply, error) { return a.next("respond ") }

func (a *answers) Abort(context.Context) error {
	a.calls += "abort "
	return nil
}

func (a *answers) Close() error {
	a.calls += "close "
	return nil
}

// TestLoop: which answer is a success, a refusal or the end of the connection,
// and what is called after it. An error outweighs a success that comes with it.
func TestLoop(t *testing.T) {
	x := []byte("x")
	refusal := &sasl.Failure{Condition: sasl.NotAuthorized}
	broken := &sasl.Failure{Condition: sasl.IncorrectEncoding}
	ok := sasl.Reply{Done: true}
	done, more := []move{{out: x, done: true}}, []move{{out: x}, {out: x, done: true}}
	for _, row := range []struct {
		name  string
		moves []move
		list  []answer
		class sasl.Class
		calls string
	}{
		{"success", done, []answer{{ok, nil}}, "", "initiate "},
		{"success after a challenge", more, []answer{{sasl.Reply{Data: x}, nil}, {ok, nil}}, "", "initiate respond "},
		{"success before the proof", more, []answer{{ok, nil}}, sasl.ErrSecurity, "initiate close "},
		{"success that refuses", done, []answer{{ok, refusal}}, sasl.ErrAuthentication, "initiate "},
		{"success that refuses later", more, []answer{{sasl.Reply{Data: x}, nil}, {ok, refusal}}, sasl.ErrAuthentication, "initiate respond "},
		{"success and a cut", done, []answer{{ok, io.ErrUnexpectedEOF}}, sasl.ErrConnection, "initiate close "},
		{"success and an attack", done, []answer{{ok, sasl.ErrSecurity}}, sasl.ErrSecurity, "initiate close "},
		{"success out of order", done, []answer{{ok, sasl.ErrProtocol}}, sasl.ErrProtocol, "initiate abort "},
		{"a refusal of the grammar", done, []answer{{sasl.Reply{}, broken}}, sasl.ErrProtocol, "initiate "},
		{"an error of the grammar", done, []answer{{sasl.Reply{}, sasl.ErrProtocol}}, sasl.ErrProtocol, "initiate abort "},
		{"a server that is busy", done, []answer{{sasl.Reply{}, sasl.ErrTemporary}}, sasl.ErrTemporary, "initiate close "},
		{"an attack that the loop sees", done, []answer{{sasl.Reply{}, fmt.Errorf("%w: %w", sasl.ErrProtocol, sasl.ErrSecurity)}}, sasl.ErrProtocol, "initiate close "},
		{"an attack that the mechanism sees", []move{{out: x}, {err: sasl.ErrSecurity}}, []answer{{sasl.Reply{Data: x}, nil}}, sasl.ErrSecurity, "initiate close "},
		{"an error of the mechanism", []move{{out: x}, {err: sasl.ErrProtocol}}, []answer{{sasl.Reply{Data: x}, nil}}, sasl.ErrProtocol, "initiate abort "},
		{"an error before any message", []move{{err: sasl.ErrConfig}}, nil, sasl.ErrConfig, ""},
		{"an attack before any message", []move{{err: sasl.ErrSecurity}}, nil, sasl.ErrSecurity, "close "},
	} {
		conn := &answers{list: row.list}
		client := sasl.Client{Mechanisms: []sasl.Mechanism{played{moves: row.moves}}}
		_, err := client.Authenticate(t.Context(), conn, playedServer)
		if sasl.ClassOf(err) != row.class || conn.calls != row.calls {
			t.Errorf("%s: %v, then %s, want class %q and %s", row.name, err, conn.calls, row.class, row.calls)
		}
	}
}

// TestNoAbortAfterTheContext has the context end while a message is out: the
// connection is closed then, and nothing more is said on it.
func TestNoAbortAfterTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	conn := &answers{list: []answer{{err: sasl.ErrProtocol}}, after: cancel}
	client := sasl.Client{Mechanisms: []sasl.Mechanism{trivial("X-TEST")}}
	_, err := client.Authenticate(ctx, staysOpen{conn}, sasl.ServerInfo{Secure: true, Mechanisms: []string{"X-TEST"}})
	if !errors.Is(err, context.Canceled) || conn.calls != "initiate " {
		t.Errorf("%v after %s", err, conn.calls)
	}
}

// staysOpen is a connection that notes no Close, which comes from another
// goroutine.
type staysOpen struct{ *answers }

func (staysOpen) Close() error { return nil }

// TestNothingAfterSuccess has a loop say more on a run that is over: the success
// is taken back, and the connection is closed.
func TestNothingAfterSuccess(t *testing.T) {
	for name, more := range map[string]func(*sasl.Session) error{
		"a challenge": func(s *sasl.Session) error { _, err := s.Respond([]byte("?")); return err },
		"success":     func(s *sasl.Session) error { return s.Finish(nil) },
		"a start":     func(s *sasl.Session) error { _, _, err := s.Start(); return err },
	} {
		for _, said := range []error{nil, &sasl.Failure{Condition: sasl.NotAuthorized}} {
			var conn closeCounter
			client := plainClient("secret")
			client.Retry = func(context.Context, error) *sasl.Client { t.Error(name, "is followed by another attempt"); return nil }
			_, err := client.Drive(t.Context(), &conn, plainServer, func(s *sasl.Session) error {
				s.Start()
				if err := s.Finish(nil); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				more(s)
				return said
			})
			if err == nil || conn.closed == 0 || errors.Is(err, sasl.ErrAuthentication) {
				t.Errorf("%s, then %v: %v, closed %d times", name, said, err, conn.closed)
			}
		}
	}
}
