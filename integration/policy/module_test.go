package policy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestForeignModule: the Examples of an adapter and of a mechanism, and the kit's
// test of the mechanism, hold in another module, where only exported names exist.
func TestForeignModule(t *testing.T) {
	dir := t.TempDir()
	core, err := filepath.Abs(filepath.Join(root, "core"))
	if err != nil {
		t.Fatal(err)
	}
	copyFile := func(name, as string) string {
		text, err := os.ReadFile(filepath.Join(core, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, as), text, 0o644); err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, name := range []string{"example_interface_test.go", "example_mechanism_test.go", "example_kit_test.go"} {
		copyFile(name, name)
	}
	copyFile("go.sum", "go.sum")
	mod := strings.Replace(copyFile("go.mod", "go.mod"), "module "+prefix+"core", "module example.org/foreign", 1)
	mod += "\nrequire " + prefix + "core v0.0.0\n\nreplace " + prefix + "core => " + core + "\n"
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "foreign.go"), []byte("// Package sasl has the name that the Examples expect.\npackage sasl\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "test", "-v", ".")
	command.Dir = dir
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, want := range []string{"--- PASS: TestExampleMechanism", "--- PASS: ExampleMechanism", "--- PASS: ExampleInterface"} {
		if !strings.Contains(string(output), want) {
			t.Errorf("%q is not in\n%s", want, output)
		}
	}
}
