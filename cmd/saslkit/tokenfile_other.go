//go:build (!unix && !windows) || aix || solaris

package main

import (
	"errors"
	"io/fs"
)

// tryLock fails, because without a lock two processes could use the same count.
func tryLock(string) (unlock func(), held bool, err error) {
	return nil, false, errors.New("--tokens is not supported on this system: omit --tokens")
}

func private(info fs.FileInfo) bool { return info.Mode().IsRegular() }

// othersRead returns false, because the mode of a file does not have the rights of
// other users on this system.
func othersRead(fs.FileInfo) bool { return false }
