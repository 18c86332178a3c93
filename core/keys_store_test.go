package sasl_test

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestKeysApart shows which runs do not share keys.
func TestKeysApart(t *testing.T) {
	store := new(sasl.MemoryKeys)
	client, asked := keysClient(store)
	other := func(change func(*sasl.ServerInfo)) sasl.ServerInfo {
		srv := keysServer
		change(&srv)
		return srv
	}
	for i, srv := range []sasl.ServerInfo{
		keysServer,
		other(func(s *sasl.ServerInfo) { s.Service = "smtp" }),
		other(func(s *sasl.ServerInfo) { s.Host = "other.example.org" }),
		other(func(s *sasl.ServerInfo) { s.Host = "" }),
		other(func(s *sasl.ServerInfo) { s.Host = "" }), // nothing is kept for a server without a name
	} {
		if err := logIn(t, client, srv, rightRun...); err != nil || *asked != i+1 {
			t.Errorf("%+v: asked %d times: %v", srv, *asked, err)
		}
	}
	client.SCRAM.RawPassword = true
	if err := logIn(t, client, keysServer, rightRun...); err != nil || *asked != 6 {
		t.Errorf("raw: asked %d times: %v", *asked, err)
	}
	if got := kept(t, store, keysAccount); !slices.Equal(got, []string{pencilKeys, pencilRawKeys}) {
		t.Errorf("kept %q", got)
	}
	if got := kept(t, store, sasl.KeyAccount{Service: "imap", Username: "user"}); got != nil {
		t.Errorf("kept %q", got)
	}
}

// TestKeysRetry shows that an attempt after the refusal of remembered keys asks for
// the password.
func TestKeysRetry(t *testing.T) {
	client, asked := keysClient(new(sasl.MemoryKeys))
	if err := logIn(t, client, keysServer, rightRun...); err != nil {
		t.Fatal(err)
	}
	client.Retry = func(context.Context, error) *sasl.Client { return client }
	refused := []sasltest.Line{c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal), refuse(sasl.NotAuthorized)}
	if err := logIn(t, client, keysServer, append(refused, rightRun...)...); err != nil || *asked != 2 {
		t.Errorf("asked %d times: %v", *asked, err)
	}
}

// failingKeys is a KeyStore that does not work.
type failingKeys struct{}

func (failingKeys) Update(context.Context, sasl.KeyAccount, func([]sasl.SCRAMKeys) []sasl.SCRAMKeys) error {
	return errors.New("the disk is full")
}

// TestKeysStoreFails shows that a store that fails does not end the login.
func TestKeysStoreFails(t *testing.T) {
	client, asked := keysClient(failingKeys{})
	var events []string
	client.Trace = func(e sasl.Event) {
		if e.Kind == sasl.EventKeys {
			events = append(events, e.String())
		}
	}
	if err := logIn(t, client, keysServer, rightRun...); err != nil || *asked != 1 {
		t.Errorf("asked %d times: %v", *asked, err)
	}
	want := []string{"-- the keys are not known: failed: the disk is full", "-- the keys are kept: failed: the disk is full"}
	if !slices.Equal(events, want) {
		t.Errorf("%q", events)
	}
}

// fullKeys is a KeyStore that gives keys away and cannot keep any.
type fullKeys struct{ sasl.MemoryKeys }

func (k *fullKeys) Update(ctx context.Context, account sasl.KeyAccount, change func([]sasl.SCRAMKeys) []sasl.SCRAMKeys) (err error) {
	k.MemoryKeys.Update(ctx, account, func(keys []sasl.SCRAMKeys) []sasl.SCRAMKeys {
		held := len(keys)
		if keys = change(keys); len(keys) > held {
			keys, err = keys[:held], errors.New("the disk is full")
		}
		return keys
	})
	return err
}

// TestKeysAreNotPutBack shows that the trace has the reason why a run of Begin did not
// put the known keys back.
func TestKeysAreNotPutBack(t *testing.T) {
	store := new(fullKeys)
	client, _ := keysClient(&store.MemoryKeys)
	if err := logIn(t, client, keysServer, rightRun...); err != nil {
		t.Fatal(err)
	}
	client.Keys = store
	var events []string
	client.Trace = func(e sasl.Event) {
		if e.Kind == sasl.EventKeys {
			events = append(events, e.String())
		}
	}
	session, err := client.Begin(t.Context(), keysServer)
	if err != nil {
		t.Fatal(err)
	}
	session.Start()
	session.Respond([]byte(rfc7677ServerFirst))
	if err := session.Finish([]byte(rfc7677ServerFinal)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"-- the keys are kept: failed: the disk is full"}; !slices.Equal(events, want) {
		t.Errorf("%q", events)
	}
}

// TestKeysUnfit shows that an entry with a key of another length is not used: with an
// empty ServerKey, everybody can make the server's proof.
func TestKeysUnfit(t *testing.T) {
	salt, _ := hex.DecodeString("5b6d99689d12358eeca04b141236fa81")
	whole := sasl.NewSecret(strings.Repeat("k", 32))
	for _, keys := range []sasl.SCRAMKeys{{ClientKey: sasl.NewSecret("short"), ServerKey: whole}, {ClientKey: whole}} {
		keys.Hash, keys.Salt, keys.Iterations = sasl.SHA256, salt, 4096
		store := new(sasl.MemoryKeys)
		client, asked := keysClient(store)
		store.Update(t.Context(), keysAccount, func([]sasl.SCRAMKeys) []sasl.SCRAMKeys { return []sasl.SCRAMKeys{keys} })
		if err := logIn(t, client, keysServer, rightRun...); err != nil || *asked != 1 {
			t.Errorf("asked %d times: %v", *asked, err)
		}
	}
}

// lateError is a KeyStore that shows its keys and then fails.
type lateError struct{ sasl.MemoryKeys }

func (k *lateError) Update(ctx context.Context, account sasl.KeyAccount, change func([]sasl.SCRAMKeys) []sasl.SCRAMKeys) error {
	k.MemoryKeys.Update(ctx, account, change)
	return errors.New("the disk is full")
}

// TestKeysOfAnError shows that a run does not use the keys of a store that fails.
func TestKeysOfAnError(t *testing.T) {
	store := new(lateError)
	client, asked := keysClient(store)
	for run := range 2 {
		if err := logIn(t, client, keysServer, rightRun...); err != nil || *asked != run+1 {
			t.Errorf("asked %d times: %v", *asked, err)
		}
	}
}

// TestMemoryKeys shows which account is forgotten, and that nothing is kept for an
// empty list.
func TestMemoryKeys(t *testing.T) {
	store := &sasl.MemoryKeys{Accounts: 2}
	account := func(name string) sasl.KeyAccount { return sasl.KeyAccount{Username: name} }
	set := func(name string, keys ...sasl.SCRAMKeys) {
		store.Update(t.Context(), account(name), func([]sasl.SCRAMKeys) []sasl.SCRAMKeys { return keys })
	}
	key := sasl.SCRAMKeys{Hash: sasl.SHA256}
	set("a", key)
	set("b", key)
	kept(t, store, account("a")) // uses a
	set("c", key)
	set("d")
	if a, b, c, d := kept(t, store, account("a")), kept(t, store, account("b")), kept(t, store, account("c")), kept(t, store, account("d")); len(a) != 1 || b != nil || len(c) != 1 || d != nil {
		t.Errorf("%q %q %q %q", a, b, c, d)
	}
	set("a")
	set("b", key)
	if len(kept(t, store, account("b"))) != 1 || len(kept(t, store, account("c"))) != 1 {
		t.Error("an account was forgotten below the limit")
	}
}
