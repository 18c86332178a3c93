package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// update lets TestReference write the pages: go test -run TestReference -update.
var update = flag.Bool("update", false, "write docs/man and docs/saslkit.md")

// tableLine finds the first line of a table in a help text.
var tableLine = regexp.MustCompile(`(?m)^  .*(?:\n  .*)*`)

// TestReference compares the man pages in docs/man and the reference in
// docs/saslkit.md with the commands.
func TestReference(t *testing.T) {
	root := rootCommand()
	root.DisableAutoGenTag = true
	dir := t.TempDir()
	for _, cmd := range root.Commands() {
		cmd.Long = tableLine.ReplaceAllString(cmd.Long, "\n\n$0") // a block of code in Markdown
		cmd.Long = strings.ReplaceAll(cmd.Long, "\n  ", "\n      ")
	}
	header := &doc.GenManHeader{Source: "saslkit", Manual: "saslkit", Date: &time.Time{}}
	if err := doc.GenManTree(root, header, dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	made := map[string][]byte{"../../docs/saslkit.md": markdown(t, rootCommand())}
	for _, entry := range entries {
		page, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		made["../../docs/man/"+entry.Name()] = bytes.ReplaceAll(page, []byte(`"Jan 0001"`), []byte(`""`))
	}
	pages, err := filepath.Glob("../../docs/man/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range pages {
		if _, ok := made[filepath.ToSlash(path)]; !ok {
			t.Errorf("%s is of no command: delete it", path)
		}
	}
	for path, want := range made {
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs from the commands (%v): run go test -run TestReference -update in cmd/saslkit", path, err)
		}
	}
}

// markdown returns the reference of all commands on one page.
func markdown(t *testing.T, root *cobra.Command) []byte {
	t.Helper()
	page := new(bytes.Buffer)
	page.WriteString("# The command saslkit\n\nThis page is made from the commands, and so are the pages in docs/man.\n\n")
	commands := slices.DeleteFunc(append([]*cobra.Command{root}, root.Commands()...), func(cmd *cobra.Command) bool {
		return cmd.Name() == "completion" || cmd.Name() == "help"
	})
	for _, cmd := range commands {
		text := new(bytes.Buffer)
		if cmd.Long != "" {
			cmd.Long = "```text\n" + cmd.Long + "\n```"
		}
		if err := doc.GenMarkdownCustom(cmd, text, func(string) string { return "" }); err != nil {
			t.Fatal(err)
		}
		part, _, _ := strings.Cut(text.String(), "### SEE ALSO")
		page.WriteString(part)
	}
	return append(bytes.TrimRight(page.Bytes(), "\n"), '\n')
}
