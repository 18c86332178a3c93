package sasl_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestLoginServer: the messages that a server accepts, and the class of the reason
// for each refusal.
func TestLoginServer(t *testing.T) {
	checks := 0
	server := &sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.LoginServer(func(_ context.Context, username string, password sasl.Secret) error {
		checks++
		switch {
		case username == "down":
			return errors.New("the store is down")
		case username != "user" || string(password.Bytes()) != "pencil":
			return sasl.ErrAuthentication
		}
		return nil
	})}}
	for _, row := range []struct {
		username, password string
		class              sasl.Class
		checks             int
	}{
		{"user", "pencil", "", 1},
		{"us\u00ADer", "pencil", "", 1},
		{"user", "pen\u00ADcil", "", 2},
		{"user", "pencils", sasl.ErrAuthentication, 1},
		{"nobody", "pencil", sasl.ErrAuthentication, 1},
		{"down", "pencil", sasl.ErrTemporary, 1},
		{"us\x00er", "", sasl.ErrProtocol, 0},
		{"us\xffer", "", sasl.ErrProtocol, 0},
		{"", "", sasl.ErrProtocol, 0},
		{strings.Repeat("a", 1025), "", sasl.ErrProtocol, 0},
		{"user", "", sasl.ErrProtocol, 0},
		{"user", "pen\x00cil", sasl.ErrProtocol, 0},
		{"user", "pen\xffcil", sasl.ErrProtocol, 0},
		{"user", strings.Repeat("p", 64<<10+1), sasl.ErrProtocol, 0},
	} {
		checks = 0
		session := beginServer(t, server, "LOGIN")
		prompt, done, err := session.Respond(t.Context(), nil)
		if string(prompt) != "Username:" || done || err != nil {
			t.Fatalf("%q, done %t, %v", prompt, done, err)
		}
		prompt, done, err = session.Respond(t.Context(), []byte(row.username))
		if done || err == nil && string(prompt) != "Password:" {
			t.Errorf("%.20q: %q, done %t", row.username, prompt, done)
		}
		if err == nil {
			_, done, err = session.Respond(t.Context(), []byte(row.password))
		}
		if sasl.ClassOf(err) != row.class || done != (err == nil) || checks != row.checks {
			t.Errorf("%.20q, %.20q: done %t, %v, %d checks", row.username, row.password, done, err, checks)
		}
		if got := session.Result().Username; (got == "user") != done || got != "" && !done {
			t.Errorf("%.20q: the result is %q", row.username, got)
		}
	}
}

// TestLoginServerNeedsName shows that an empty username is refused at once, also if the
// server's Canonical accepts it.
func TestLoginServerNeedsName(t *testing.T) {
	server := &sasl.Server{
		Canonical:  func(name string) (string, error) { return name, nil },
		Mechanisms: []sasl.ServerMechanism{sasl.LoginServer(func(context.Context, string, sasl.Secret) error { return nil })},
	}
	if prompt, _, err := beginServer(t, server, "LOGIN").Respond(t.Context(), []byte{}); sasl.ClassOf(err) != sasl.ErrProtocol {
		t.Errorf("%q, %v", prompt, err)
	}
}

// TestLoginRecordServer: an unknown user costs a derivation, as a known user does,
// and without a hash there is no mechanism.
func TestLoginRecordServer(t *testing.T) {
	record := derive(t, sasl.SHA256, "pencil")
	server := &sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.LoginRecordServer(func(_ context.Context, _ sasl.Hash, username string) (*sasl.SCRAMRecord, error) {
		if username != "user" {
			return nil, nil
		}
		return record, nil
	}, sasl.SHA256)}}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		ctx                context.Context
		username, password string
		class              sasl.Class
	}{
		{t.Context(), "user", "pencil", ""},
		{t.Context(), "user", "pencils", sasl.ErrAuthentication},
		{t.Context(), "nobody", "pencil", sasl.ErrAuthentication},
		{ended, "user", "pencil", sasl.ErrConnection},
		{ended, "nobody", "pencil", sasl.ErrConnection},
	} {
		session := beginServer(t, server, "LOGIN")
		session.Respond(row.ctx, []byte(row.username))
		if _, done, err := session.Respond(row.ctx, []byte(row.password)); sasl.ClassOf(err) != row.class || done != (err == nil) {
			t.Errorf("%s: done %t, %v", row.username, done, err)
		}
	}
	without := sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.LoginRecordServer(nil)}}
	if offer := without.Offer(sasl.ConnInfo{Secure: true}); offer != nil {
		t.Errorf("without a hash: %q", offer)
	}
}
