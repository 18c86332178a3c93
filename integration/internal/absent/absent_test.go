package absent

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const (
	simulate = "SASLKIT_TEST_ABSENT"
	required = "SASLKIT_TEST_REQUIRED"
)

func TestMain(m *testing.M) {
	if os.Getenv(simulate) != "" {
		os.Exit(Run(m, errors.New("it is not there"), required))
	}
	os.Exit(m.Run())
}

// goTest has the go command test this very package, where what it needs is absent.
func goTest(t *testing.T, env ...string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "test", ".")
	cmd.Env = append(append(os.Environ(), simulate+"=1"), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestIsSeenAndNotCached(t *testing.T) {
	for range 2 {
		got, err := goTest(t)
		if err != nil || !strings.Contains(got, "[no tests to run]") || strings.Contains(got, "(cached)") {
			t.Errorf("%v\n%s", err, got)
		}
	}
}

func TestFailsWhereRequired(t *testing.T) {
	got, err := goTest(t, required+"=1")
	if err == nil || !strings.Contains(got, "FAIL: "+required+" is set, and it is not there\n") {
		t.Errorf("%v\n%s", err, got)
	}
}
