//go:build unix

package krb5

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestPipe: a file that another user has made in /tmp, and that has no end, does not
// make a login wait.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := soon(func() error { _, err := readCache(path); return err }); !errors.Is(err, sasl.ErrConfig) || !strings.Contains(err.Error(), "is a pipe: name a file") {
		t.Error(err)
	}
}
