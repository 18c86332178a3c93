package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// info is what a proxy says about a version. The time is that of a commit, which
// does not exist yet.
const info = `{"Version":%q,"Time":"2000-01-01T00:00:00Z"}` + "\n"

// pack writes the files of a version into the proxy, and returns the two lines of
// a go.sum for it, each with its end of line.
func pack(m module.Version, tree, folder, proxy string) (sums []string, err error) {
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		return nil, err
	}
	mod := filepath.Join(tree, folder, "go.mod")
	versions := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
	if err := copyFile(mod, filepath.Join(versions, m.Version+".mod")); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"list": m.Version + "\n", m.Version + ".info": fmt.Sprintf(info, m.Version)} {
		if err := os.WriteFile(filepath.Join(versions, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	archive := filepath.Join(versions, m.Version+".zip")
	if err := writeZip(m, tree, folder, archive); err != nil {
		return nil, err
	}
	zipHash, err := dirhash.HashZip(archive, dirhash.Hash1)
	if err != nil {
		return nil, err
	}
	modHash, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(mod) })
	if err != nil {
		return nil, err
	}
	return []string{
		fmt.Sprintf("%s %s %s\n", m.Path, m.Version, zipHash),
		fmt.Sprintf("%s %s/go.mod %s\n", m.Path, m.Version, modHash),
	}, nil
}

// writeZip packs a folder. A module without a licence of its own gets that of the
// repository, as from the go command.
func writeZip(m module.Version, tree, folder, name string) (err error) {
	licence := filepath.Join(tree, folder, "LICENSE")
	if _, err := os.Stat(licence); errors.Is(err, os.ErrNotExist) {
		if err := copyFile(filepath.Join(tree, "LICENSE"), licence); err != nil {
			return err
		}
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return zip.CreateFromDir(file, m, filepath.Join(tree, folder))
}
