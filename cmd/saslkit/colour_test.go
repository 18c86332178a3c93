package main

import "testing"

// TestPaint shows that colours are for terminals only, and that NO_COLOR forbids
// them.
func TestPaint(t *testing.T) {
	for name, row := range map[string]struct {
		terminal bool
		env      map[string]string
		want     string
	}{
		"a terminal":     {true, nil, "\x1b[31mno\x1b[0m"},
		"empty NO_COLOR": {true, map[string]string{"NO_COLOR": "", "TERM": "xterm"}, "\x1b[31mno\x1b[0m"},
		"NO_COLOR":       {true, map[string]string{"NO_COLOR": "1"}, "no"},
		"a dumb one":     {true, map[string]string{"TERM": "dumb"}, "no"},
		"a file":         {false, nil, "no"},
	} {
		if got := paint(row.terminal, func(name string) string { return row.env[name] }, red, "no"); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}
