// Package absent ends a test binary whose tests need something that is not there.
package absent

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// Run fails if the environment variable required is set. Otherwise it runs no test, in the one way that is seen: the go
// command discards what a package that passes has printed, skipped tests and all, but writes [no tests to run] behind
// its name, every time anew.
func Run(m *testing.M, reason error, required string) int {
	if os.Getenv(required) != "" {
		fmt.Fprintf(os.Stderr, "FAIL: %s is set, and %v\n", required, reason)
		return 1
	}
	fmt.Fprintf(os.Stderr, "no test runs: %v\n", reason)
	Uncached()
	if err := flag.Set("test.run", "^$"); err != nil {
		panic(err)
	}
	return m.Run()
}

// Uncached keeps the go command from repeating this run's result while what the run has read is unchanged: it takes
// away the log of that. It must be called before m.Run.
func Uncached() {
	flag.Parse() // m.Run would parse later, and undo this setting
	if err := flag.Set("test.testlogfile", ""); err != nil {
		panic(err)
	}
}
