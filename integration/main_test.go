// Package integration proves the adapters against real servers, which package harness runs in containers.
package integration

import (
	"os"
	"testing"

	"github.com/saslkit/saslkit/integration/internal/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
