//go:build (!unix && !windows) || aix || solaris

package main

import (
	"errors"
	"io/fs"
)

// tryLock fails: without a lock a count could be used twice.
func tryLock(string) (unlock func(), held bool, err error) {
	return nil, false, errors.New("--tokens is not for this system")
}

func private(info fs.FileInfo) bool { return info.Mode().IsRegular() }
