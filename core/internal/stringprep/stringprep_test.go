package stringprep_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// TestSASLprep tests the examples of RFC 4013 s3, and rows that another
// implementation computed from the tables of RFC 3454.
func TestSASLprep(t *testing.T) {
	const refused = "\x00refused"
	for _, row := range []struct{ in, query, stored string }{
		{"I\u00ADX", "IX", "IX"},
		{"user", "user", "user"},
		{"USER", "USER", "USER"},
		{"\u00AA", "a", "a"},
		{"\u2168", "IX", "IX"},
		{"\u0007", refused, refused},
		{"\u0627\u0031", refused, refused},
		{"pen\u00A0cil", "pen cil", "pen cil"},
		{"\u200B", "", ""},
		{"\u0221", "\u0221", refused},
		{"\uE000", refused, refused},
		{"a\u0340b", "\u00E0b", "\u00E0b"},
		{"\uFFFD", refused, refused},
		{"\u0627a\u0628", refused, refused},
		{"\u06271\u0628", "\u06271\u0628", "\u06271\u0628"},
		{"\u1680", " ", " "},
		{"\uFB01", "fi", "fi"},
		{"\U0002F868", "\U0002136A", "\U0002136A"}, // as in Unicode 3.2, corrected later
		{"\xff", refused, refused},
	} {
		check := func(form string, prepare func(string) (string, error), want string) {
			got, err := prepare(row.in)
			if want == refused && err == nil || want != refused && (err != nil || got != want) {
				t.Errorf("%s(%+q) = %+q, %v, want %+q", form, row.in, got, err, want)
			}
			if err != nil && strings.Contains(err.Error(), row.in) {
				t.Errorf("the error tells the string: %v", err)
			}
		}
		check("query", stringprep.Query, row.query)
		check("stored", stringprep.Stored, row.stored)
	}
}

// TestSASLprepEverywhere prepares every code point, alone and next to characters with
// which the code point may combine. The sums come from the same walk over an
// implementation with the data of Unicode 3.2.
func TestSASLprepEverywhere(t *testing.T) {
	for _, row := range []struct {
		name, before, after string
		prepare             func(string) (string, error)
		sum                 string
	}{
		{"query", "", "", stringprep.Query, "3f80f2043bae5a0ed933875a4521a7c316772c70b2e6161072950a4e2703cb10"},
		{"stored", "", "", stringprep.Stored, "3a371119e54cf18e41cbfe5e33b483462014734c9a7eb0acd64d2cb2feed75e7"},
		{"query after a letter", "e", "", stringprep.Query, "f86883bb1b6c610bfcccd1693803fcad5871b960bc8bf187d89cb0809aa360dd"},
		{"stored between", "e", "\u0301\u0323", stringprep.Stored, "134c85738f70e6e9cd55b506b961d4da75d83df171588abf9e73602ea8a82496"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			sum := sha256.New()
			for r := rune(0); r <= utf8.MaxRune; r++ {
				if !utf8.ValidRune(r) {
					continue
				}
				prepared, err := row.prepare(row.before + string(r) + row.after)
				if err != nil {
					prepared = "\xff"
				}
				sum.Write([]byte(prepared + "\n"))
			}
			if got := hex.EncodeToString(sum.Sum(nil)); got != row.sum {
				t.Errorf("sum %s, want %s", got, row.sum)
			}
		})
	}
}

// TestTraceProfile tests the trace profile of RFC 4505 s3.
func TestTraceProfile(t *testing.T) {
	for trace, ok := range map[string]bool{
		"":               true,
		"sirhc":          true,
		"user@example":   true,
		"\u00AA \u00A0":  true, // nothing is mapped or normalised, spaces are allowed
		"a\u0007b":       false,
		"\u0080":         false,
		"\uE000":         false,
		"\u200E":         false,
		"\U000E0041":     false,
		"\u0627a":        false,
		"\u0627\u0628":   true,
		"not utf-8 \xff": false,
	} {
		if err := stringprep.Trace(trace); (err == nil) != ok {
			t.Errorf("PrepareTrace(%+q) = %v, want ok %t", trace, err, ok)
		}
	}
}
