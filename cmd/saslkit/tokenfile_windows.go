package main

import (
	"errors"
	"io/fs"
	"syscall"
)

// errSharing is ERROR_SHARING_VIOLATION.
const errSharing = syscall.Errno(32)

// tryLock opens a file that no process can open a second time. The end of the
// process closes the file. held reports whether another process has the lock.
func tryLock(path string) (unlock func(), held bool, err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, false, err
	}
	const noSharing = 0
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, noSharing, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errSharing) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	return func() { syscall.CloseHandle(handle) }, false, nil
}

// private reports whether info describes a regular file. The access list of the
// directory decides which users may read the file.
func private(info fs.FileInfo) bool { return info.Mode().IsRegular() }

// othersRead returns false, because the mode of a file does not have the rights of
// other users on this system.
func othersRead(fs.FileInfo) bool { return false }
