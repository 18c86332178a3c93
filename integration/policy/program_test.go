package policy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrograms: each program of README compiles in a module of its own, with the
// lines of go.mod that README shows behind it and nothing else of the workspace.
// In the rehearsal of a release this is the line for the time after the release.
func TestPrograms(t *testing.T) {
	clone, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "integration/go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	programs := 0
	list := blocks(t)
	for i, program := range list {
		if !strings.HasPrefix(program.text, "package main") {
			continue
		}
		programs++
		if i+1 == len(list) || !strings.HasPrefix(list[i+1].text, "// go.mod") {
			t.Errorf("%s:%d: no lines of go.mod follow the program", program.page, program.line)
			continue
		}
		lines := strings.ReplaceAll(list[i+1].text, "../saslkit/", clone+"/")
		if release != "" {
			lines = releasedLine(t, list[i+1])
		}
		dir := t.TempDir()
		for name, text := range map[string]string{
			"main.go": program.text,
			"go.mod":  "module example.org/program\n\ngo 1.26.0\n\n" + lines,
			"go.sum":  string(sums),
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		command := exec.CommandContext(t.Context(), "go", "vet", "-mod=mod", ".")
		command.Dir = dir
		command.Env = append(os.Environ(), "GOWORK=off")
		if output, err := command.CombinedOutput(); err != nil {
			t.Errorf("%s:%d: %v\n%s", program.page, program.line, err, output)
		}
	}
	if programs < 6 {
		t.Errorf("README has only %d programs", programs)
	}
}
