// Package integration proves the adapters and the command against real servers, which package harness runs in
// containers.
package integration

import (
	"os"
	"testing"

	"github.com/saslkit/saslkit/integration/internal/harness"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(sendMailTo); address != "" {
		sendMail(address)
	}
	code := harness.Main(m)
	os.RemoveAll(commandDir)
	os.Exit(code)
}
