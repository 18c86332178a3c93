package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/term"

	sasl "github.com/saslkit/saslkit/core"
)

// passwordVariable is the environment variable that may hold the password.
const passwordVariable = "SASLKIT_PASSWORD"

// password returns the password from the file, the environment or the prompt.
func password(ctx context.Context, file, whose string) (sasl.Secret, error) {
	if file != "" {
		return passwordFromFile(file)
	}
	if value, ok := os.LookupEnv(passwordVariable); ok {
		return sasl.NewSecret(value), nil
	}
	return promptPassword(ctx, "Password of "+whose+": ")
}

// maxPassword is the longest password that is sent, in octets.
const maxPassword = 32 << 10

// passwordFromFile reads the first line of a file; "-" is the standard input.
func passwordFromFile(name string) (sasl.Secret, error) {
	file := os.Stdin
	if name != "-" {
		var err error
		if file, err = os.Open(name); err != nil {
			return sasl.Secret{}, usageError("--password-file: %w", err)
		}
		defer file.Close()
	}
	line, err := bufio.NewReader(io.LimitReader(file, maxPassword+2)).ReadString('\n')
	switch {
	case err != nil && err != io.EOF:
		return sasl.Secret{}, usageError("--password-file: %w", err)
	case len(strings.TrimRight(line, "\r\n")) > maxPassword:
		return sasl.Secret{}, usageError("--password-file: the first line is over 32 KiB: use a shorter password")
	}
	return sasl.NewSecret(strings.TrimRight(line, "\r\n")), nil
}

// promptPassword asks at the terminal, without an echo.
func promptPassword(ctx context.Context, prompt string) (sasl.Secret, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) && term.IsTerminal(int(os.Stdin.Fd())) {
		tty, err = os.Stdin, nil // on a system whose terminal has no name
	}
	if err != nil {
		return sasl.Secret{}, usageError("there is no terminal for the prompt of the password: set %s or use --password-file", passwordVariable)
	}
	if tty != os.Stdin {
		defer tty.Close()
	}
	fd := int(tty.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return sasl.Secret{}, usageError("the terminal: %w", err)
	}
	fmt.Fprint(os.Stderr, prompt)
	type answer struct {
		password []byte
		err      error
	}
	answered := make(chan answer, 1)
	go func() {
		password, err := term.ReadPassword(fd)
		answered <- answer{password, err}
	}()
	select {
	case a := <-answered:
		fmt.Fprintln(os.Stderr)
		if a.err != nil {
			return sasl.Secret{}, usageError("no password was entered: %w", a.err)
		}
		return sasl.NewSecret(a.password), nil
	case <-ctx.Done():
		term.Restore(fd, state) // because ReadPassword still waits
		fmt.Fprintln(os.Stderr)
		return sasl.Secret{}, ctx.Err()
	}
}
