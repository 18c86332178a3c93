package saslimap

import (
	"context"
	"strconv"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// FuzzLoginCommand: what the exchange lets through is one command, from which a
// server reads the same two strings (RFC 9051 s4.3).
func FuzzLoginCommand(f *testing.F) {
	for _, s := range []string{"tim", `a"b\`, "jürgen", "{5}", "a\r\nA2 NOOP", "\x00", strings.Repeat("p", 481), "\xff", "", " "} {
		f.Add(s, "secret")
		f.Add("tim", s)
	}
	f.Fuzz(func(t *testing.T, username, password string) {
		x := LoginCommand(sasl.Password(username, password)).New(sasl.Terms{})
		message, _, err := x.Step(context.Background(), nil)
		if err != nil {
			if sasl.ClassOf(err) != sasl.ErrConfig {
				t.Errorf("%v has no class", err)
			}
			return
		}
		user, pass := loginStrings(message)
		command := strings.Join(loginPieces("A1", user, pass), "\r\n")
		rest, ok := strings.CutPrefix(command, "A1 LOGIN ")
		first, rest := readString(t, rest)
		space, rest, _ := strings.Cut(rest, " ")
		second, rest := readString(t, rest)
		if !ok || space != "" || rest != "" || first != username || second != password {
			t.Errorf("%q is read as %q and %q", command, first, second)
		}
	})
}

// readString reads a string as a server does.
func readString(t *testing.T, text string) (s, rest string) {
	if length, after, ok := strings.Cut(text, "}\r\n"); ok && strings.HasPrefix(length, "{") {
		octets, err := strconv.Atoi(length[1:])
		if err != nil || octets > len(after) {
			t.Fatalf("an invalid literal: %q", text)
		}
		return after[:octets], after[octets:]
	}
	if !strings.HasPrefix(text, `"`) {
		t.Fatalf("no string: %q", text)
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return b.String(), text[i+1:]
		case c == '\\':
			i++
			b.WriteByte(text[i])
		case c == '\r' || c == '\n' || c == 0 || c > 0x7f:
			t.Fatalf("%q is not quoted", text)
		default:
			b.WriteByte(c)
		}
	}
	t.Fatalf("no end: %q", text)
	return "", ""
}
