//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/term"
)

// endWithGroup lets the end of a context end the programs of a shell together with
// the shell. At a terminal the shell stays in the group of this process, because a
// program of another group cannot ask there.
func endWithGroup(cmd *exec.Cmd) {
	if term.IsTerminal(int(os.Stdin.Fd())) {
		return
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
