package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
)

// pin makes go.mod and go.sum of the release commit: the siblings are required at
// the version, with their hashes, and nothing is replaced.
func (s *sibling) pin(tree, version string, packed map[string]*sibling) error {
	var sums []string
	for _, require := range s.mod.Require {
		required := packed[require.Mod.Path]
		if required == nil {
			continue
		}
		sums = append(sums, required.sums...)
		if err := s.mod.AddRequire(require.Mod.Path, version); err != nil {
			return err
		}
	}
	for _, replace := range s.mod.Replace {
		// The go command refuses "go install" of a module that replaces another one.
		if packed[replace.Old.Path] == nil {
			return fmt.Errorf("%s replaces %s, which is not required from this repository: remove the line", s.folder, replace.Old.Path)
		}
		if err := s.mod.DropReplace(replace.Old.Path, replace.Old.Version); err != nil {
			return err
		}
	}
	s.mod.Cleanup()
	text, err := s.mod.Format()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tree, s.folder, "go.mod"), text, 0o644); err != nil {
		return err
	}
	return addSums(filepath.Join(tree, s.folder, "go.sum"), sums)
}

// addSums adds lines to a go.sum, in the order of the go command.
func addSums(name string, added []string) error {
	if len(added) == 0 {
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	hashes := make(map[module.Version]string)
	var keys []module.Version
	for line := range strings.Lines(string(text) + strings.Join(added, "")) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return fmt.Errorf("%s: the line %q is not a path, a version and a hash: run go mod tidy", name, line)
		}
		key := module.Version{Path: fields[0], Version: fields[1]}
		if hashes[key] == "" {
			keys = append(keys, key)
		}
		hashes[key] = fields[2]
	}
	module.Sort(keys)
	var b strings.Builder
	for _, key := range keys {
		fmt.Fprintf(&b, "%s %s %s\n", key.Path, key.Version, hashes[key])
	}
	return os.WriteFile(name, []byte(b.String()), 0o644)
}
