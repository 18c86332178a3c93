package policy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	decisionFile  = regexp.MustCompile(`^([0-9]{4})-[a-z0-9.-]+\.md$`)
	decisionTitle = regexp.MustCompile(`^# [^#\s0-9].*[^.]$`)
	paragraphs    = []string{"Context: ", "Decision: ", "Rejected: "}
)

// TestDecisions holds the form of every decision (CONTRIBUTING.md): a title, then
// exactly three paragraphs, and a number that no other decision has. The number
// is in the name of the file only, because the title is for a search.
func TestDecisions(t *testing.T) {
	dir := filepath.Join(root, "docs", "decisions")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	numbers, titles := map[string]string{}, map[string]string{}
	for _, entry := range entries {
		name := entry.Name()
		number := decisionFile.FindStringSubmatch(name)
		if number == nil {
			t.Errorf("%s: name the file by four digits and a topic", name)
			continue
		}
		if other := numbers[number[1]]; other != "" {
			t.Errorf("%s: %s has the same number", name, other)
		}
		numbers[number[1]] = name
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		title := decisionForm(t, name, string(text))
		if other := titles[title]; other != "" {
			t.Errorf("%s: %s has the same title", name, other)
		}
		titles[title] = name
	}
	if len(numbers) < 60 {
		t.Errorf("only %d decisions were found", len(numbers))
	}
}

// decisionForm holds the form of one decision and returns its title.
func decisionForm(t *testing.T, name, text string) string {
	t.Helper()
	parts := strings.Split(strings.TrimSuffix(text, "\n"), "\n\n")
	if !decisionTitle.MatchString(parts[0]) {
		t.Errorf("%s: begin with a title, without the number: %q", name, parts[0])
	}
	if len(parts) != 1+len(paragraphs) {
		t.Errorf("%s: write a title and %d paragraphs, not %d", name, len(paragraphs), len(parts)-1)
		return parts[0]
	}
	for i, begin := range paragraphs {
		if !strings.HasPrefix(parts[1+i], begin) || strings.TrimSpace(parts[1+i]) == strings.TrimSpace(begin) {
			t.Errorf("%s: begin paragraph %d with %q", name, 1+i, begin)
		}
	}
	return parts[0]
}
