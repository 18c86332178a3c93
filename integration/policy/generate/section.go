package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// section finds a generated section: its first comment with the name of the
// source, what is generated, and the last comment.
var section = regexp.MustCompile(`(?ms)(^<!-- generated: ([^\n]+?) -->\n)(.*?)(^<!-- end -->\n)`)

// generatedPages returns README.md and every page of docs that has a generated
// section, by its path below root, as it should be.
func generatedPages(root string) (map[string][]byte, error) {
	pages := make(map[string][]byte)
	names := []string{"README.md"}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".md" {
			name, _ := filepath.Rel(root, path)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, err
		}
		if !section.Match(text) {
			continue
		}
		if pages[name], err = regenerate(root, text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return pages, nil
}

// regenerate returns a page with its generated sections written anew.
func regenerate(root string, page []byte) ([]byte, error) {
	var failed error
	page = section.ReplaceAllFunc(page, func(old []byte) []byte {
		parts := section.FindSubmatch(old)
		text, err := generated(root, string(parts[2]))
		if err != nil {
			failed = err
		}
		return []byte(string(parts[1]) + text + string(parts[4]))
	})
	return page, failed
}

// generated returns the text of one source.
func generated(root, source string) (string, error) {
	switch source {
	case "mechanisms":
		return mechanismTable(root)
	case "versions":
		return versionTable(root)
	}
	if module, ok := strings.CutPrefix(source, "go.mod "); ok {
		return moduleLines(root, module)
	}
	text, err := os.ReadFile(filepath.Join(root, source))
	if err != nil {
		return "", err
	}
	// A page is read as UTF-8 with a language for colours, which few viewers have
	// for these files.
	return "```text\n" + strings.TrimRight(string(text), "\n") + "\n```\n", nil
}
