package main

import (
	"context"
	"errors"
	"io"
	"testing"

	"golang.org/x/term"

	sasl "github.com/saslkit/saslkit/core"
)

// TestPrompt shows the ends of a prompt: a line, Ctrl-D, Ctrl-C, the end of the
// terminal and the end of the context.
func TestPrompt(t *testing.T) {
	for name, row := range map[string]struct {
		typed string
		want  string
		class sasl.Class
	}{
		"a line":        {"secret\r", "secret", ""},
		"corrected":     {"secreet\x7f\x7ft\r", "secret", ""},
		"Ctrl-D":        {"\x04", "", sasl.ErrConfig},
		"Ctrl-C":        {"sec\x03", "", sasl.ErrConfig},
		"no more":       {"", "", sasl.ErrConfig},
		"a paste":       {"secret\rnext\r", "secret", ""},
		"an empty line": {"\r", "", ""},
	} {
		keyboard, keys := io.Pipe()
		go func() {
			io.WriteString(keys, row.typed)
			keys.Close()
		}()
		p := &prompter{terminal: term.NewTerminal(terminal{keyboard}, "")}
		got, err := p.read(t.Context(), "Password: ")
		if string(got.Bytes()) != row.want || sasl.ClassOf(err) != row.class {
			t.Errorf("%s: %q, %v", name, got.Bytes(), err)
		}
	}
	keyboard, keys := io.Pipe()
	defer keys.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := &prompter{terminal: term.NewTerminal(terminal{keyboard}, "")}
	if _, err := p.read(ctx, "Password: "); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// terminal is a keyboard with a screen that shows nothing.
type terminal struct{ io.Reader }

func (terminal) Write(p []byte) (int, error) { return len(p), nil }
