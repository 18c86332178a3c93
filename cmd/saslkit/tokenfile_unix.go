//go:build unix && !aix && !solaris

package main

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// tryLock takes a lock, which the end of the process releases. held reports whether
// another process has the lock.
func tryLock(path string) (unlock func(), held bool, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
			return nil, true, nil
		}
		return nil, false, err
	}
	return func() { file.Close() }, false, nil
}

// private reports whether this user owns the file and no other user may read or
// write the file.
func private(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && info.Mode().IsRegular() && info.Mode().Perm()&0o077 == 0
}

// othersRead reports whether other users may read the file.
func othersRead(info fs.FileInfo) bool { return info.Mode().Perm()&0o044 != 0 }
