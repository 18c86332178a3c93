package sasl_test

import (
	"bytes"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestLongestMessage: a message of 64 KiB is taken, as a challenge and with
// success, and one of an octet more is not. A server does the same.
func TestLongestMessage(t *testing.T) {
	for size, class := range map[int]sasl.Class{64 << 10: "", 64<<10 + 1: sasl.ErrProtocol} {
		message := bytes.Repeat([]byte("A"), size)
		session := begin(t, played{moves: []move{{}, {done: true}}})
		session.Start()
		if _, err := session.Respond(message); sasl.ClassOf(err) != class {
			t.Errorf("a challenge of %d octets: %v", size, err)
		}
		session = begin(t, played{moves: []move{{}, {done: true}}})
		session.Start()
		if err := session.Finish(message); sasl.ClassOf(err) != class {
			t.Errorf("success with %d octets: %v", size, err)
		}
		server := sasl.Server{Mechanisms: []sasl.ServerMechanism{playedAtServer{moves: []move{{}, {done: true}}}}}
		run, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true}, "X-PLAYED")
		if err != nil {
			t.Fatal(err)
		}
		for _, response := range [][]byte{nil, message} {
			if _, _, err = run.Respond(t.Context(), response); err != nil {
				break
			}
		}
		if sasl.ClassOf(err) != class {
			t.Errorf("a response of %d octets: %v", size, err)
		}
	}
}

// playedAtServer is a server's mechanism that makes its moves.
type playedAtServer played

func (playedAtServer) Name() string                  { return "X-PLAYED" }
func (m playedAtServer) Properties() sasl.Properties { return m.properties }
func (m playedAtServer) New(sasl.ServerTerms) sasl.Exchange {
	return &playedExchange{moves: m.moves, heard: m.heard}
}

// TestSentOnceMore: the first message goes out again if the server has not read
// it, and never after another message, from a mechanism that did not declare it,
// or without the word of the loop.
func TestSentOnceMore(t *testing.T) {
	both := sasl.Properties{SingleMessage: true, Repeatable: true}
	first, second := []byte("first"), []byte("second")
	for _, row := range []struct {
		name       string
		properties sasl.Properties
		early      bool // SentInline before the first challenge
		late       bool // and after it
		challenges []string
		want       string // the last response
	}{
		{"an empty challenge", both, true, false, []string{""}, "first"},
		{"a challenge with a message", both, true, false, []string{"?"}, "second"},
		{"two empty challenges", both, true, false, []string{"", ""}, "second"},
		{"an empty challenge after another", both, true, false, []string{"?", ""}, "third"},
		{"not sent inline", both, false, false, []string{""}, "second"},
		{"told after the second message", both, false, true, []string{"?", ""}, "third"},
		{"not Repeatable", sasl.Properties{SingleMessage: true}, true, false, []string{""}, "second"},
		{"not a SingleMessage", sasl.Properties{Repeatable: true}, true, false, []string{""}, "second"},
	} {
		session := begin(t, played{properties: row.properties, moves: []move{{out: first}, {out: second}, {out: []byte("third")}}})
		session.Start()
		if row.early {
			session.SentInline(first)
		}
		var response []byte
		for i, challenge := range row.challenges {
			var err error
			if response, err = session.Respond([]byte(challenge)); err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
			if i == 0 && row.late {
				session.SentInline(first)
			}
		}
		if string(response) != row.want {
			t.Errorf("%s: %q, want %q", row.name, response, row.want)
		}
	}
}

// TestNoMessageInline: a mechanism in which the server speaks first has sent
// nothing inline, so the empty challenge is for its first message.
func TestNoMessageInline(t *testing.T) {
	peer := sasltest.NewPeer(sasltest.Line{Op: sasltest.ClientSends}, s(""), c("x"), succeed)
	client := sasl.Client{Mechanisms: []sasl.Mechanism{silent{}}}
	_, err := client.Authenticate(t.Context(), inlinePeer{peer}, sasl.ServerInfo{Secure: true, Mechanisms: []string{"X-SILENT"}})
	if fault := peer.Fault(); err != nil || fault != nil {
		t.Errorf("%v, %v", err, fault)
	}
}

// TestNotDeferredAfterFailure refuses a first message unread whose mechanism has
// failed already: it does not go out again.
func TestNotDeferredAfterFailure(t *testing.T) {
	m := played{properties: sasl.Properties{Repeatable: true}, moves: []move{{out: []byte("x"), err: sasl.ErrTemporary}}}
	peer := &deferringPeer{Peer: sasltest.NewPeer(c("x"), refuse(sasl.MalformedRequest)), unread: true}
	client := sasl.Client{Mechanisms: []sasl.Mechanism{m}}
	if _, err := client.Authenticate(t.Context(), peer, playedServer); sasl.ClassOf(err) != sasl.ErrTemporary || peer.deferred > 0 {
		t.Errorf("%v, sent again %d times", err, peer.deferred)
	}
}
