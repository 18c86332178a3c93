package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const prefix = "github.com/saslkit/saslkit/"

// used finds the modules of the workspace in go.work.
var used = regexp.MustCompile(`(?m)^\t\./(.+)$`)

// adapterModules returns the folders of the adapters in go.work.
func adapterModules(root string) (folders []string, err error) {
	text, err := os.ReadFile(filepath.Join(root, "go.work"))
	if err != nil {
		return nil, err
	}
	for _, match := range used.FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(match[1], "adapters/") {
			folders = append(folders, match[1])
		}
	}
	return folders, nil
}

// required finds the modules of this repository that a go.mod requires.
var required = regexp.MustCompile(`(?m)^(?:require |\t)` + regexp.QuoteMeta(prefix) + `(\S+) v\S+`)

// moduleLines returns what the go.mod of a program needs for an adapter, until
// the first release and after it. A replace is of the main module alone, so the
// program repeats those of the adapter.
func moduleLines(root, adapter string) (string, error) {
	folders := []string{adapter}
	for i := 0; i < len(folders); i++ {
		text, err := os.ReadFile(filepath.Join(root, folders[i], "go.mod"))
		if err != nil {
			return "", err
		}
		for _, match := range required.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(folders, match[1]) {
				folders = append(folders, match[1])
			}
		}
	}
	slices.Sort(folders)
	var b strings.Builder
	b.WriteString("```text\n// go.mod, until the first release, with a clone of saslkit beside the program:\n")
	b.WriteString("require " + prefix + adapter + " v0.0.0\n\nreplace (\n")
	for _, folder := range folders {
		b.WriteString("\t" + prefix + folder + " => ../saslkit/" + folder + "\n")
	}
	b.WriteString(")\n\n// After the release this line replaces the lines above:\n")
	b.WriteString("// require " + prefix + adapter + " v0.1.0\n```\n")
	return b.String(), nil
}
