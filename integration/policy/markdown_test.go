package policy

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is a fenced block of a page.
type block struct {
	page  string // below root
	line  int    // the number of its first line
	setup string // Go code of a comment before it, for the block to compile
	info  string // behind the fence: the language and more
	text  string
}

// fenced finds the fenced blocks, with the comment right before them:
//
//	<!-- go: var client *imapclient.Client -->
var fenced = regexp.MustCompile("(?ms)(?:^<!-- go:(.*?)-->\n)?^```([^\n]*)\n(.*?)^```$")

// pages returns the paths of README.md and of every page in docs.
func pages(t *testing.T) []string {
	t.Helper()
	paths := []string{filepath.Join(root, "README.md")}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// blocks returns the fenced blocks of the pages.
func blocks(t *testing.T) (list []block) {
	t.Helper()
	for _, path := range pages(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		page, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range fenced.FindAllSubmatchIndex(text, -1) {
			b := block{page: filepath.ToSlash(page), info: string(text[at[4]:at[5]]), text: string(text[at[6]:at[7]])}
			if at[2] >= 0 {
				b.setup = string(text[at[2]:at[3]])
			}
			b.line = 1 + strings.Count(string(text[:at[6]]), "\n")
			list = append(list, b)
		}
	}
	return list
}

// link finds the links of a page to files of the repository.
var link = regexp.MustCompile(`\]\(([^):#]+)(?:#[^)]*)?\)`)

// TestLinks: a link of README.md or of a page in docs leads to a file that exists.
func TestLinks(t *testing.T) {
	links := 0
	for _, path := range pages(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllSubmatch(text, -1) {
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), string(match[1]))); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if links < 20 {
		t.Errorf("only %d links were found", links)
	}
}
