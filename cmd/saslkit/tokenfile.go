package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// tokenFile keeps the tokens of this user's accounts (XEP-0484) in a file that no
// other user may read. An update replaces the whole file. A lock file next to it
// serializes the processes that use the file.
type tokenFile struct{ path string }

// tokenFileText is the content of the file, in JSON.
type tokenFileText struct {
	// ClientID is the id of the user-agent (XEP-0388), a UUID: servers issue
	// tokens to it.
	ClientID string         `json:"client-id"`
	Accounts []accountToken `json:"tokens"`
}

type accountToken struct {
	Service   string     `json:"service"`
	Host      string     `json:"host"`
	Username  string     `json:"username"`
	Mechanism string     `json:"mechanism"`
	Token     string     `json:"token"`
	Expiry    *time.Time `json:"expiry,omitempty"`
	Count     uint64     `json:"count"`
}

const maxTokenFile = 1 << 20 // octets

// Update implements sasl.TokenStore. It returns an ErrConnection if another process
// holds the lock until ctx ends.
func (f *tokenFile) Update(ctx context.Context, account sasl.TokenAccount, change func([]sasl.Token) []sasl.Token) error {
	return f.edit(ctx, func(text *tokenFileText) {
		ours := func(a accountToken) bool {
			return a.Service == account.Service && a.Host == account.Host && a.Username == account.Username
		}
		var tokens []sasl.Token
		for _, a := range text.Accounts {
			if ours(a) {
				tokens = append(tokens, a.token())
			}
		}
		text.Accounts = slices.DeleteFunc(text.Accounts, ours)
		for _, t := range change(tokens) {
			text.Accounts = append(text.Accounts, tokenOf(account, t))
		}
	})
}

// clientID returns the id of the user-agent. The first call makes the id, and the
// file keeps it.
func (f *tokenFile) clientID(ctx context.Context) (id string, err error) {
	err = f.edit(ctx, func(text *tokenFileText) {
		if text.ClientID == "" {
			text.ClientID = newUUID()
		}
		id = text.ClientID
	})
	return id, err
}

// newUUID returns a random UUID (RFC 9562 s5.4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (a accountToken) token() sasl.Token {
	t := sasl.Token{Mechanism: a.Mechanism, Secret: sasl.NewSecret(a.Token), Count: a.Count}
	if a.Expiry != nil {
		t.Expiry = *a.Expiry
	}
	return t
}

func tokenOf(account sasl.TokenAccount, t sasl.Token) accountToken {
	a := accountToken{account.Service, account.Host, account.Username, t.Mechanism, string(t.Secret.Bytes()), nil, t.Count}
	if !t.Expiry.IsZero() {
		a.Expiry = &t.Expiry
	}
	return a
}

// edit reads the file and changes the content. It replaces the file only if the
// content differs.
func (f *tokenFile) edit(ctx context.Context, change func(*tokenFileText)) error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return usageError("the tokens: %w", err)
	}
	unlock, err := lockFile(ctx, f.path+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	before, err := f.read()
	if err != nil {
		return usageError("the tokens: %w", err)
	}
	var text tokenFileText
	if len(before) > 0 && json.Unmarshal(before, &text) != nil { // its error would quote a token
		return usageError("the tokens: %s has invalid content: delete the file", f.path)
	}
	change(&text)
	after, err := json.MarshalIndent(text, "", "  ")
	if err != nil {
		return usageError("the tokens: %w", err)
	}
	if bytes.Equal(before, after) {
		return nil
	}
	if err := f.replace(after); err != nil {
		return usageError("the tokens: %w", err)
	}
	return nil
}

// read returns nothing if there is no file.
func (f *tokenFile) read() ([]byte, error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !private(info) {
		return nil, fmt.Errorf("other users may read or write %s, so its tokens may be known: use chmod 600 or delete the file", f.path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxTokenFile+1))
	if err == nil && len(text) > maxTokenFile {
		err = fmt.Errorf("%s is over 1 MiB: delete the file", f.path)
	}
	return text, err
}

// replace renames a new file to the name of the old file. So neither a reader nor a
// crash can see half a file.
func (f *tokenFile) replace(text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(f.path), ".tokens-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // if it is still there
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), f.path)
}

// lockFile waits until no other process holds the lock, or until ctx ends.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	for {
		unlock, held, err := tryLock(path)
		if err != nil {
			return nil, usageError("the tokens: %w", err)
		}
		if !held {
			return unlock, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: waiting for another process that uses %s: %w", sasl.ErrConnection, path, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}
