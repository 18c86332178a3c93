// Command generate writes the generated sections of README.md and of the pages in
// docs, from the code, the go.mod files and the configurations in docker:
//
//	go run ./integration/policy/generate
//
// A section stands between two comments, the first of which names its source:
//
//	<!-- generated: mechanisms -->
//	<!-- end -->
//
// The sources are "mechanisms" (the table of mechanisms, sides, adapters and
// bindings), "versions" (of Go and of the libraries), "go.mod" with the folder of
// an adapter, and the path of a file.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	workspace, err := exec.Command("go", "env", "GOWORK").Output()
	if err != nil {
		return err
	}
	root := filepath.Dir(strings.TrimSpace(string(workspace)))
	pages, err := generatedPages(root)
	if err != nil {
		return err
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(root, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
