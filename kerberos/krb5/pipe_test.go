//go:build unix

package krb5

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// TestPipe: a file that another user has made in /tmp, and that has no end, does not
// make a login wait.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	outcome := make(chan error, 1)
	go func() {
		_, err := readCache(path)
		outcome <- err
	}()
	select {
	case err := <-outcome:
		if !errors.Is(err, sasl.ErrConfig) || !strings.Contains(err.Error(), "is a pipe: name a file") {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the login waits for a pipe")
	}
}
