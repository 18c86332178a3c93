package policy

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// phrases are those that a reader whose first language is not English stumbles
// over, with what to write (CONTRIBUTING.md). They are put together here, so that
// this file does not have them.
var phrases = map[*regexp.Regexp]string{
	regexp.MustCompile(`\b(tells|says|told) ` + `whether\b`): "reports whether",
	regexp.MustCompile(`\bwhat is ` + `no\b`):                "an invalid …",
	regexp.MustCompile(`\bbut ` + `for\b`):                   "except",
}

// TestEnglish holds the mechanical rules of CONTRIBUTING.md over every source and
// every page.
func TestEnglish(t *testing.T) {
	files := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2 {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".md") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for number, line := range strings.Split(string(text), "\n") {
			for phrase, better := range phrases {
				if found := phrase.FindString(line); found != "" {
					t.Errorf("%s:%d: %q: write %q", path, number+1, found, better)
				}
			}
		}
		return nil
	})
	if err != nil || files < 300 {
		t.Errorf("%d files, %v", files, err)
	}
}
