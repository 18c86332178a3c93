package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// sibling is a module of go.work.
type sibling struct {
	folder string // below the tree, with slashes
	mod    *modfile.File
	sums   []string // its lines of a go.sum, if it is packed
}

// release does the whole work. It returns the tags in the order of the modules.
func release(version, tree, out string, write bool) (tags []string, err error) {
	if out == "" {
		return nil, errors.New("no folder for the results: give one with -out")
	}
	if entries, err := os.ReadDir(out); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty: give an empty or absent folder with -out", out)
	}
	copied := filepath.Join(out, "tree")
	if err := copyTracked(tree, copied); err != nil {
		return nil, err
	}
	list, err := siblings(copied)
	if err != nil {
		return nil, err
	}
	packed := make(map[string]*sibling)
	for _, s := range list {
		m := module.Version{Path: s.mod.Module.Mod.Path, Version: version}
		if err := module.Check(m.Path, m.Version); err != nil {
			return nil, fmt.Errorf("the version has to be as in v0.1.0: %w", err)
		}
		if err := s.pin(copied, version, packed); err != nil {
			return nil, err
		}
		if s.sums, err = pack(m, copied, s.folder, filepath.Join(out, "proxy")); err != nil {
			return nil, err
		}
		packed[m.Path] = s
		tags = append(tags, s.folder+"/"+version)
		if write {
			if err := copyBack(copied, tree, s.folder); err != nil {
				return nil, err
			}
		}
	}
	return tags, nil
}

// copyTracked copies the tracked files of a clone: the others are not in a tag.
func copyTracked(tree, to string) error {
	command := exec.Command("git", "-C", tree, "ls-files", "-z")
	command.Stderr = os.Stderr
	names, err := command.Output()
	if err != nil {
		return fmt.Errorf("git ls-files in %s: %w", tree, err)
	}
	for name := range bytes.SplitSeq(bytes.TrimSuffix(names, []byte{0}), []byte{0}) {
		if err := copyFile(filepath.Join(tree, string(name)), filepath.Join(to, string(name))); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies a regular file and makes the folders of the copy.
func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

// copyBack writes the files of a module that a release changes into the clone. A
// module without requirements has no go.sum.
func copyBack(copied, tree, folder string) error {
	for _, name := range []string{"go.mod", "go.sum"} {
		err := copyFile(filepath.Join(copied, folder, name), filepath.Join(tree, folder, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// siblings returns the modules of go.work, a module behind every module that it
// requires.
func siblings(tree string) (ordered []*sibling, err error) {
	text, err := os.ReadFile(filepath.Join(tree, "go.work"))
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork("go.work", text, nil)
	if err != nil {
		return nil, err
	}
	waiting := make(map[string]*sibling)
	for _, use := range work.Use {
		folder := strings.TrimPrefix(use.Path, "./")
		name := filepath.Join(tree, folder, "go.mod")
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		mod, err := modfile.Parse(name, text, nil)
		if err != nil {
			return nil, err
		}
		waiting[mod.Module.Mod.Path] = &sibling{folder: folder, mod: mod}
	}
	for len(waiting) > 0 {
		next := ""
		for path, s := range waiting {
			if s.ready(waiting) && (next == "" || path < next) {
				next = path
			}
		}
		if next == "" {
			return nil, fmt.Errorf("%d modules require one another in a circle: remove one of the requirements", len(waiting))
		}
		ordered = append(ordered, waiting[next])
		delete(waiting, next)
	}
	return ordered, nil
}

// ready reports whether the module requires none of those that wait.
func (s *sibling) ready(waiting map[string]*sibling) bool {
	for _, require := range s.mod.Require {
		if waiting[require.Mod.Path] != nil {
			return false
		}
	}
	return true
}
