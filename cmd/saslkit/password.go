package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/term"

	sasl "github.com/saslkit/saslkit/core"
)

// passwordVariable is the environment variable that may hold the password.
const passwordVariable = "SASLKIT_PASSWORD"

// passwordSource gives the password of a login.
type passwordSource struct {
	whose    string
	file     string       // "-" = the standard input, "" = the environment or the prompt
	fromFile *sasl.Secret // the content of any other file
	prompted bool         // a person was asked for the password
}

// newPasswordSource reads the file of the password, so that a mistake in its name is
// found before the connection is made.
func newPasswordSource(file, whose string) (*passwordSource, error) {
	source := &passwordSource{whose: whose, file: file}
	if file == "" || file == "-" {
		return source, nil
	}
	password, err := secretFromFile("--password-file", file)
	source.fromFile = &password
	return source, err
}

// password returns the password from the file, the environment or the prompt.
func (s *passwordSource) password(ctx context.Context) (sasl.Secret, error) {
	switch value, ok := os.LookupEnv(passwordVariable); {
	case s.fromFile != nil:
		return *s.fromFile, nil
	case s.file != "":
		return secretFromFile("--password-file", s.file)
	case ok:
		return sasl.NewSecret(value), nil
	}
	s.prompted = true
	return promptPassword(ctx, "Password of "+s.whose+": ")
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
