// Package harness runs the real servers of the integration tests in containers, issues their certificates, and puts a
// man in the middle if a test needs one.
//
// A package that uses it hands its TestMain to [Main]. A test then asks for a server, which is started for the first
// that does and shared by all:
//
//	srv := harness.Dovecot(t)
//	conn, err := tls.Dial("tcp", srv.IMAPS, &tls.Config{ServerName: srv.Host, RootCAs: srv.CA})
//
// Environment:
//
//   - SASLKIT_REQUIRE_DOCKER, if set: fail where Docker does not answer, instead of running no test, and never let the
//     go command repeat a cached result
//   - SASLKIT_LOG_DIR, if set: write each server's log to this folder, also when the tests passed
//   - SASLKIT_BASE_IMAGE, if set: the image that the servers' images start from
package harness

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/saslkit/saslkit/integration/internal/absent"
	"github.com/testcontainers/testcontainers-go/log"
)

const requireDocker = "SASLKIT_REQUIRE_DOCKER"

// Main runs the tests of a package and removes the servers they started. It is called from TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
//
// If Docker does not answer, no test runs, and the go command says so behind the package's name: [no tests to run].
func Main(m *testing.M) int {
	log.SetDefault(log.NewNoopLogger()) // what it has to say is in the errors
	prepareHost()
	prepareRyuk()
	if err := findDocker(); err != nil {
		return absent.Run(m, fmt.Errorf("no answer from Docker: %w", err), requireDocker)
	}
	if os.Getenv(requireDocker) != "" {
		absent.Uncached()
	}
	code := m.Run()
	stopServers(code != 0)
	return code
}

func findDocker() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	docker, err := newClient(ctx)
	if err != nil {
		return err
	}
	defer docker.Close()
	return sweep(ctx, docker)
}
