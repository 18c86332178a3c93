package main

import (
	"errors"
	"io/fs"
	"syscall"
)

// errSharing is ERROR_SHARING_VIOLATION.
const errSharing = syscall.Errno(32)

// tryLock opens a file that cannot be opened twice, which ends with the process
// at the latest.
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

// private reports whether it is a file: who may read it is a matter of the
// directory's access list.
func private(info fs.FileInfo) bool { return info.Mode().IsRegular() }
