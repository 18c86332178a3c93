package main

import (
	"os"

	"golang.org/x/term"
)

// The colours of the terminal, as parameters of SGR (ECMA-48 s8.3.117).
const (
	red   = "31"
	green = "32"
)

// coloured returns a text in a colour if the file is a terminal that shows colours.
// A variable NO_COLOR that is not empty forbids colours.
func coloured(file *os.File, colour, text string) string {
	return paint(term.IsTerminal(int(file.Fd())), os.Getenv, colour, text)
}

func paint(terminal bool, getenv func(string) string, colour, text string) string {
	if !terminal || getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}
