package sasl

import (
	"encoding/base64"
	"strings"
	"unicode"
)

// A server has seen the client's messages, and some servers repeat a message in
// their texts: a line that the server did not understand, or every message on
// purpose. Errors and traces are visible to people and logs that must see no
// secret. The package therefore withholds a text that repeats a secret.

// withheld replaces such a text.
const withheld = "(withheld: it repeats a secret)"

const (
	// leastEcho is the least length, in octets, of a secret that the package looks
	// for: a shorter secret occurs in many words by chance.
	leastEcho = 4
	// mostEcho is the number of consecutive octets that reveal a longer secret. A
	// server may truncate its text anywhere.
	mostEcho = 16
	// leastEncoded is the number of consecutive base64 digits that reveal a secret:
	// these digits contain at least 4 octets.
	leastEncoded = 6
)

// repeatsSecret reports whether a text repeats most of a secret, unchanged or in
// base64.
func repeatsSecret(text string, secret []byte) bool {
	hidden := squeeze(string(secret))
	return repeats(text, secret, min(max(len(hidden)*3/4, leastEcho), mostEcho))
}

// repeatsMessage reports whether a text repeats any part of a message whose
// secrets are not declared.
func repeatsMessage(text string, message []byte) bool { return repeats(text, message, leastEcho) }

// repeats looks for a run of octets. White space, case and the characters that
// Printable removes make no difference, because a person can still read the
// secret.
func repeats(text string, secret []byte, run int) bool {
	if text == "" || len(secret) < leastEcho {
		return false
	}
	shown, hidden := squeeze(text), squeeze(string(secret))
	if strings.Contains(text, string(secret)) || len(hidden) >= leastEcho && hasRun(shown, hidden, run) {
		return true
	}
	shown = strings.NewReplacer("-", "+", "_", "/").Replace(shown) // the other alphabet
	for shift := range 3 {                                         // octets before the secret in its group
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), secret...))
		whole := (shift + len(secret)) * 8 / 6
		encoded = squeeze(encoded[(shift*8+5)/6 : whole])
		if hasRun(shown, encoded, min(leastEncoded, len(encoded))) {
			return true
		}
	}
	return false
}

// squeeze removes the characters that a reader does not see in a text: blanks,
// marks, and the characters that Unicode tells a display to ignore.
func squeeze(text string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		const braillePatternBlank = '\u2800'
		if unicode.IsSpace(r) || !unicode.IsPrint(r) || r == braillePatternBlank ||
			unicode.In(r, unicode.Mn, unicode.Other_Default_Ignorable_Code_Point) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "")))
}

// hasRun reports whether text contains this number of consecutive octets of hidden.
// A map holds the runs of the shorter string, and the runs of the longer string are
// looked up in this map.
func hasRun(text, hidden string, octets int) bool {
	short, long := text, hidden
	if len(hidden) < len(text) {
		short, long = hidden, text
	}
	var begins [256]bool // avoids most of the lookups
	runs := make(map[string]struct{}, max(len(short)-octets+1, 0))
	for i := 0; i+octets <= len(short); i++ {
		begins[short[i]] = true
		runs[short[i:i+octets]] = struct{}{}
	}
	for i := 0; i+octets <= len(long) && len(runs) > 0; i++ {
		if !begins[long[i]] {
			continue
		}
		if _, found := runs[long[i:i+octets]]; found {
			return true
		}
	}
	return false
}

// Printable makes a peer's text safe for a terminal and for one line of a log.
// Printable removes the characters that are not printable, and everything after
// the first 512 octets.
func Printable(s string) string {
	const most = 512
	truncated := len(s) > most
	if truncated {
		s = s[:most]
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if truncated {
		s += "…"
	}
	return s
}
