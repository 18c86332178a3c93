package sasl_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// TestRefusedIsTold shows that the server calls Refused once in a run, and
// immediately if a challenge reports the refusal to the client.
func TestRefusedIsTold(t *testing.T) {
	var told []string
	server := &sasl.Server{
		Key: serverKey,
		Mechanisms: []sasl.ServerMechanism{
			sasl.SCRAMServer(sasl.SHA256, scramStore(t, "user", derive(t, sasl.SHA256, "pencil"))),
			sasl.PlainServer(func(context.Context, string, sasl.Secret) error { return sasl.ErrAuthentication }),
		},
		Refused: func(mechanism string, conn sasl.ConnInfo, reason error) {
			told = append(told, mechanism+" "+conn.Host+" "+string(sasl.ClassOf(reason)))
		},
	}
	server.SetNonce("server")
	conn := sasl.ConnInfo{Secure: true, Host: "here"}
	server.Begin(t.Context(), conn, "LOGIN")
	session, err := server.Begin(t.Context(), conn, "PLAIN")
	if err != nil {
		t.Fatal(err)
	}
	session.Respond(t.Context(), []byte("\x00u\x00p"))
	session.Respond(t.Context(), []byte("\x00u\x00p"))
	if session, err = server.Begin(t.Context(), conn, "SCRAM-SHA-256"); err != nil {
		t.Fatal(err)
	}
	session.Respond(t.Context(), []byte("n,,n=user,r=client"))
	session.Respond(t.Context(), []byte("c=biws,r=clientserver,p=AAAA"))
	want := []string{"LOGIN here policy", "PLAIN here authentication", "SCRAM-SHA-256 here authentication"}
	if !slices.Equal(told, want) {
		t.Errorf("Refused was called with %q, want %q", told, want)
	}
	session.Respond(t.Context(), []byte{})
	if len(told) != len(want) {
		t.Errorf("Refused was called again: %q", told)
	}
}

// TestRefuse shows that an adapter can refuse a client before, in and after a run, that
// each refusal is reported once, and that the first reason stays.
func TestRefuse(t *testing.T) {
	var told []string
	server := &sasl.Server{
		Key:    serverKey,
		Tokens: &sasl.ServerTokens{Store: new(sasl.MemoryTokens), Mechanisms: []string{"HT-SHA-256-NONE"}},
		Mechanisms: []sasl.ServerMechanism{
			sasl.SCRAMServer(sasl.SHA256, scramStore(t, "user", derive(t, sasl.SHA256, "pencil"))), sasl.PlainServer(accept)},
		Refused: func(mechanism string, conn sasl.ConnInfo, reason error) {
			told = append(told, mechanism+" "+conn.Host+" "+reason.Error())
		},
	}
	conn := sasl.ConnInfo{Secure: true, Host: "here"}
	begin := func(mechanism string, messages ...string) *sasl.ServerSession {
		session, err := server.Begin(t.Context(), conn, mechanism)
		if err != nil {
			t.Fatal(err)
		}
		for _, message := range messages {
			session.Respond(t.Context(), []byte(message))
		}
		return session
	}
	full, aborted := errors.New("the disk is full"), &sasl.Failure{Condition: sasl.Aborted}
	for _, row := range []struct {
		name, told string
		refuse     func() (*sasl.ServerSession, error)
	}{
		{"before a run", "PLAIN here temporary error: the disk is full",
			func() (*sasl.ServerSession, error) { return nil, server.Refuse(conn, "PLAIN", full) }},
		{"after the proof", "PLAIN here temporary error: the disk is full",
			func() (*sasl.ServerSession, error) { s := begin("PLAIN", "\x00u\x00p"); return s, s.Refuse(full) }},
		{"in a run", "SCRAM-SHA-256 here protocol error: refused with aborted",
			func() (*sasl.ServerSession, error) {
				s := begin("SCRAM-SHA-256", "n,,n=user,r=x")
				return s, s.Refuse(aborted)
			}},
		{"twice", "PLAIN here protocol error: refused with aborted",
			func() (*sasl.ServerSession, error) {
				s := begin("PLAIN", "\x00u\x00p")
				s.Refuse(aborted)
				return s, s.Refuse(full)
			}},
		{"after a refusal", "SCRAM-SHA-256 here protocol error: SCRAM: the gs2-header is incomplete",
			func() (*sasl.ServerSession, error) { s := begin("SCRAM-SHA-256", "z"); return s, s.Refuse(full) }},
	} {
		told = nil
		session, err := row.refuse()
		if len(told) != 1 || err == nil || sasl.ClassOf(err) == "" || told[0] != row.told {
			t.Errorf("%s: %v, told %q, want %q", row.name, err, told, row.told)
		}
		if session == nil {
			continue
		}
		if _, done, after := session.Respond(t.Context(), []byte{}); done || after != err || len(told) != 1 {
			t.Errorf("%s: then %t, %v, told %q", row.name, done, after, told)
		}
		if _, after := session.IssueToken(t.Context(), "client", "HT-SHA-256-NONE", time.Time{}); sasl.ClassOf(after) != sasl.ErrPolicy {
			t.Errorf("%s: a token: %v", row.name, after)
		}
	}
}

// TestAuthorize shows that the server calls Authorize after the proof, with canonical
// names, and that the resulting error has a class.
func TestAuthorize(t *testing.T) {
	var asked []sasl.Identity
	server := &sasl.Server{
		Mechanisms: []sasl.ServerMechanism{sasl.PlainServer(func(_ context.Context, name string, password sasl.Secret) error {
			if name != "IX" || string(password.Bytes()) != "pen cil" {
				return sasl.ErrAuthentication
			}
			return nil
		})},
		Authorize: func(_ context.Context, id sasl.Identity, _ sasl.ConnInfo) error {
			asked = append(asked, id)
			if id.Authzid == "root" {
				return errors.New("no")
			}
			return nil
		},
	}
	for _, row := range []struct {
		message string
		class   sasl.Class
		asked   int
	}{
		{"\x00I\u00ADX\x00pen cil", "", 1},
		{"\x00IX\x00pen\u00A0cil", "", 1}, // the password as received, then prepared
		{"fred\x00IX\x00pen cil", "", 1},
		{"root\x00IX\x00pen cil", sasl.ErrAuthorization, 1},
		{"fred\x00IX\x00pencil", sasl.ErrAuthentication, 0},
		{"fred\x00\u00AD\x00pen cil", sasl.ErrProtocol, 0},
		{"\x07\x00IX\x00pen cil", sasl.ErrProtocol, 0},
	} {
		asked = nil
		session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true}, "PLAIN")
		if err != nil {
			t.Fatal(err)
		}
		_, done, err := session.Respond(t.Context(), []byte(row.message))
		if sasl.ClassOf(err) != row.class || done != (row.class == "") || len(asked) != row.asked {
			t.Errorf("%q: %t, %v, asked %v", row.message, done, err, asked)
		}
		if done && session.Result().Username != "IX" {
			t.Errorf("%q: %+v", row.message, session.Result())
		}
	}
}

// TestCallbackErrors shows that the error of a failing store is temporary, unless the
// error has a class.
func TestCallbackErrors(t *testing.T) {
	down := errors.New("the store is down")
	server := &sasl.Server{Key: serverKey, Mechanisms: []sasl.ServerMechanism{
		sasl.PlainServer(func(context.Context, string, sasl.Secret) error { return down }),
		sasl.AnonymousServer(func(context.Context, string) (string, error) { return "", down }),
		sasl.ExternalServer(func(context.Context, any) (string, error) { return "", down }),
		sasl.SCRAMServer(sasl.SHA256, func(context.Context, sasl.Hash, string) (*sasl.SCRAMRecord, error) { return nil, down }),
	}}
	for mechanism, message := range map[string]string{
		"PLAIN": "\x00u\x00p", "ANONYMOUS": "", "EXTERNAL": "", "SCRAM-SHA-256": "n,,n=u,r=x",
	} {
		session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true, Peer: "peer"}, mechanism)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := session.Respond(t.Context(), []byte(message)); sasl.ClassOf(err) != sasl.ErrTemporary || !errors.Is(err, down) {
			t.Errorf("%s: %v", mechanism, err)
		}
	}
}
