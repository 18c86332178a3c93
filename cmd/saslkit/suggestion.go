package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// misspelt is an error about an unknown name, with the known name that is nearest.
type misspelt struct {
	error
	nearest string
}

func (e *misspelt) Unwrap() error { return e.error }

// suggestFlag adds the nearest flag to the error about an unknown flag, and removes the
// words of Go from the error about an invalid value.
func suggestFlag(cmd *cobra.Command, err error) error {
	for parser, advice := range map[string]string{"strconv.ParseBool": "write true or false", "strconv.ParseInt": "write a number"} {
		if before, _, ok := strings.Cut(err.Error(), ": "+parser); ok {
			return errors.New(before + ": " + advice)
		}
	}
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if found := nearest(name, names); found != "" {
		return &misspelt{err, "--" + found}
	}
	return err
}

// suggestCommand adds the nearest command to the error about an unknown command.
func suggestCommand(root *cobra.Command, err error) error {
	rest, ok := strings.CutPrefix(err.Error(), `unknown command "`)
	name, _, _ := strings.Cut(rest, `"`)
	var names []string
	for _, cmd := range root.Commands() {
		names = append(names, cmd.Name())
	}
	if found := nearest(name, names); ok && found != "" {
		return &misspelt{err, root.Name() + " " + found}
	}
	return err
}

// nearest returns the name that a person most likely meant: the one that begins with
// the text, or the one with the fewest changes, of at most a third of its letters.
func nearest(text string, names []string) (best string) {
	least := len(text)/3 + 2
	for _, name := range names {
		changes := distance(text, name)
		if len(text) > 2 && strings.HasPrefix(name, text) {
			changes = 1
		}
		if changes < least {
			best, least = name, changes
		}
	}
	return best
}

// distance returns how many letters differ between two names (the distance of
// Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		above := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := above
			if a[i] != b[j] {
				change++
			}
			above = row[j+1]
			row[j+1] = min(change, row[j]+1, above+1)
		}
	}
	return row[len(b)]
}
