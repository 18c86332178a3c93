package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// release is the version of the packed modules that TestPrograms and TestSnippets
// compile against; "" = the modules of the workspace. The rehearsal of a release
// sets it, and GOPROXY with it.
var release = os.Getenv("SASLKIT_RELEASE")

// releasedLine returns the one line of go.mod that a program needs after the
// release.
func releasedLine(t *testing.T, b block) string {
	t.Helper()
	_, line, ok := strings.Cut(b.text, "\n// After the release this line replaces the lines above:\n// ")
	words := strings.Fields(line)
	if !ok || len(words) != 3 || words[0] != "require" {
		t.Fatalf("%s:%d: the line of go.mod for the time after the release is not there", b.page, b.line)
	}
	return "require " + words[1] + " " + release + "\n"
}

// releasedModules returns a folder with a module that requires every module of
// the release.
func releasedModules(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	mod := "module example.org/snippets\n\ngo 1.26.0\n\n"
	for name := range modules {
		mod += "require " + prefix + name + " " + release + "\n"
	}
	sums, err := os.ReadFile(filepath.Join(root, "integration/go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go.mod": mod, "go.sum": string(sums)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
