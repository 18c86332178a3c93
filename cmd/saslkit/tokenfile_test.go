//go:build unix && !aix && !solaris

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

var aliceTokens = sasl.TokenAccount{Service: "xmpp", Host: "example.org", Username: "alice"}

// add adds a token to the tokens of an account.
func add(t *testing.T, store sasl.TokenStore, account sasl.TokenAccount, secret string, expiry time.Time) {
	t.Helper()
	err := store.Update(t.Context(), account, func(tokens []sasl.Token) []sasl.Token {
		return append(tokens, sasl.Token{Mechanism: "HT-SHA-256-EXPR", Secret: sasl.NewSecret(secret), Expiry: expiry, Count: 7})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTokenFile shows the content of the file and its mode, and that an account
// sees only its own tokens.
func TestTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "tokens.json")
	store := &tokenFile{path}
	bob := aliceTokens
	bob.Username = "bob"
	add(t, store, aliceTokens, "one", time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	add(t, store, bob, "two", time.Time{})
	const want = `{
  "client-id": "",
  "tokens": [
    {
      "service": "xmpp",
      "host": "example.org",
      "username": "alice",
      "mechanism": "HT-SHA-256-EXPR",
      "token": "one",
      "expiry": "2030-01-02T03:04:05Z",
      "count": 7
    },
    {
      "service": "xmpp",
      "host": "example.org",
      "username": "bob",
      "mechanism": "HT-SHA-256-EXPR",
      "token": "two",
      "count": 7
    }
  ]
}`
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	for name, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s has %v, want %v; %v", name, info.Mode(), mode, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".tokens-*")); err != nil || left != nil {
		t.Errorf("left behind: %q, %v", left, err)
	}
	delete := func([]sasl.Token) []sasl.Token { return nil }
	if err := (&tokenFile{path}).Update(t.Context(), aliceTokens, delete); err != nil {
		t.Fatal(err)
	}
	store.Update(t.Context(), bob, func(tokens []sasl.Token) []sasl.Token {
		if len(tokens) != 1 || string(tokens[0].Secret.Bytes()) != "two" || tokens[0].Count != 7 || !tokens[0].Expiry.IsZero() {
			t.Errorf("bob has %+v", tokens)
		}
		return tokens
	})
	if got, err := os.ReadFile(path); err != nil || strings.Contains(string(got), "alice") {
		t.Errorf("%s, %v", got, err)
	}
}

// TestTokenFileUnchanged shows that an update without a change writes nothing.
func TestTokenFileUnchanged(t *testing.T) {
	store := &tokenFile{filepath.Join(t.TempDir(), "tokens.json")}
	add(t, store, aliceTokens, "one", time.Time{})
	before, err := os.Stat(store.path)
	if err != nil {
		t.Fatal(err)
	}
	store.Update(t.Context(), aliceTokens, func(tokens []sasl.Token) []sasl.Token { return tokens })
	if after, err := os.Stat(store.path); err != nil || !os.SameFile(before, after) {
		t.Errorf("it was replaced; %v", err)
	}
}

// TestClientID shows that the id is a UUID of version 4 and stays the same.
func TestClientID(t *testing.T) {
	store := &tokenFile{filepath.Join(t.TempDir(), "tokens.json")}
	id, err := store.clientID(t.Context())
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	if again, err := (&tokenFile{store.path}).clientID(t.Context()); again != id || err != nil {
		t.Errorf("%q, then %q, %v", id, again, err)
	}
}

// TestTokenFileRefused shows that an update refuses and keeps a file that may be
// known to others or has invalid content, and that the error does not show the content.
func TestTokenFileRefused(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		mode os.FileMode
		says string
	}{
		"readable by others": {"{}", 0o640, "chmod 600"},
		"writable by others": {"{}", 0o602, "chmod 600"},
		"not JSON":           {"sekrit", 0o600, "invalid content"},
		"half a file":        {`{"tokens": [{"token": "sekrit`, 0o600, "invalid content"},
		"of other types":     {`{"tokens": [{"token": "x", "count": "sekrit"}]}`, 0o600, "invalid content"},
		"too long":           {strings.Repeat(" ", maxTokenFile+1), 0o600, "over 1 MiB"},
	} {
		store := &tokenFile{filepath.Join(t.TempDir(), "tokens.json")}
		if err := os.WriteFile(store.path, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		os.Chmod(store.path, row.mode)
		err := store.Update(t.Context(), aliceTokens, func([]sasl.Token) []sasl.Token {
			t.Errorf("%s: it is used", name)
			return nil
		})
		if sasl.ClassOf(err) != sasl.ErrConfig || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "sekrit") {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := os.ReadFile(store.path); err != nil || string(got) != row.text {
			t.Errorf("%s: it is now %.80q, %v", name, got, err)
		}
	}
}

// TestTokenFileLock shows that no two updates get the same count, and that the wait
// for the lock ends with the context.
func TestTokenFileLock(t *testing.T) {
	store := &tokenFile{filepath.Join(t.TempDir(), "tokens.json")}
	add(t, store, aliceTokens, "one", time.Time{})
	var (
		mu     sync.Mutex
		counts []uint64
		group  sync.WaitGroup
	)
	for range 20 {
		group.Go(func() {
			err := (&tokenFile{store.path}).Update(t.Context(), aliceTokens, func(tokens []sasl.Token) []sasl.Token {
				tokens[0].Count++
				mu.Lock()
				defer mu.Unlock()
				counts = append(counts, tokens[0].Count)
				return tokens
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if slices.Sort(counts); len(slices.Compact(counts)) != 20 {
		t.Errorf("counts %d", counts)
	}
	unlock, err := lockFile(t.Context(), store.path+".lock")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = store.Update(ctx, aliceTokens, func(tokens []sasl.Token) []sasl.Token { return tokens })
	if sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
