package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/term"

	sasl "github.com/saslkit/saslkit/core"
)

// prompter asks for passwords at the terminal, without an echo. It serves every
// prompt of a login, because the terminal may have read more than one line.
type prompter struct {
	fd       int
	terminal *term.Terminal
}

func openPrompter() (*prompter, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) && term.IsTerminal(int(os.Stdin.Fd())) {
		tty, err = os.Stdin, nil // on a system whose terminal has no name
	}
	if err != nil {
		return nil, usageError("there is no terminal for the prompt of the password: set %s or use --password-file", passwordVariable)
	}
	both := struct {
		io.Reader
		io.Writer
	}{tty, os.Stderr}
	return &prompter{int(tty.Fd()), term.NewTerminal(both, "")}, nil
}

// ask reads a line. Ctrl-D and Ctrl-C end the prompt with an error.
func (p *prompter) ask(ctx context.Context, prompt string) (sasl.Secret, error) {
	state, err := term.MakeRaw(p.fd)
	if err != nil {
		return sasl.Secret{}, usageError("the terminal: %w", err)
	}
	defer term.Restore(p.fd, state)
	return p.read(ctx, prompt)
}

// read reads a line of a terminal in raw mode.
func (p *prompter) read(ctx context.Context, prompt string) (sasl.Secret, error) {
	type answer struct {
		password string
		err      error
	}
	answered := make(chan answer, 1)
	go func() {
		password, err := p.terminal.ReadPassword(prompt)
		answered <- answer{password, err}
	}()
	select {
	case a := <-answered:
		if a.err != nil {
			fmt.Fprint(os.Stderr, "\r\n")
			return sasl.Secret{}, usageError("no password was entered: enter one, set %s or use --password-file", passwordVariable)
		}
		return sasl.NewSecret(a.password), nil
	case <-ctx.Done():
		fmt.Fprint(os.Stderr, "\r\n")
		return sasl.Secret{}, ctx.Err()
	}
}
