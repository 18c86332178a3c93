package policy

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestOldestText: core requires golang.org/x/text v0.42 or newer. Older versions
// prepare some strings differently, so a password would have other keys.
func TestOldestText(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "core/go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^(?:require |\t)golang\.org/x/text v0\.(\d+)\.`).FindSubmatch(text)
	if found == nil {
		t.Fatal("core/go.mod requires no version v0 of golang.org/x/text")
	}
	if minor, err := strconv.Atoi(string(found[1])); err != nil || minor < 42 {
		t.Errorf("core/go.mod requires golang.org/x/text v0.%s, which is older than v0.42", found[1])
	}
}
