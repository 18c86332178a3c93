package sasl

import (
	"encoding/base64"
	"strings"
	"unicode"
)

// A server has seen what the client sent, and some servers repeat it in what
// they say about it: the line that they did not understand, or all of it on
// purpose. Errors and traces go to people and logs that must see no secret, so
// a text that repeats one is withheld.

// withheld stands for such a text.
const withheld = "(withheld: it repeats a secret)"

const (
	// leastEcho is the length, in octets, from which on a secret is looked for:
	// a shorter one stands in many words by chance.
	leastEcho = 4
	// mostEcho is the number of octets in a row that give a longer secret away.
	// A text may be cut off anywhere.
	mostEcho = 16
	// leastEncoded is the number of base64 digits in a row that do: they have at
	// least 4 octets.
	leastEncoded = 6
)

// repeatsSecret reports whether a text repeats most of a secret, as it is or in
// base64.
func repeatsSecret(text string, secret []byte) bool {
	hidden := squeeze(string(secret))
	return repeats(text, secret, min(max(len(hidden)*3/4, leastEcho), mostEcho))
}

// repeatsMessage reports whether a text repeats any part of a message of which
// nobody knows what in it is secret.
func repeatsMessage(text string, message []byte) bool { return repeats(text, message, leastEcho) }

// repeats looks for a run of octets. White space, what Printable drops, and case
// make no difference, because a person still reads the secret.
func repeats(text string, secret []byte, run int) bool {
	if text == "" || len(secret) < leastEcho {
		return false
	}
	shown, hidden := squeeze(text), squeeze(string(secret))
	if strings.Contains(text, string(secret)) || len(hidden) >= leastEcho && hasRun(shown, hidden, run) {
		return true
	}
	shown = strings.NewReplacer("-", "+", "_", "/").Replace(shown) // the other alphabet
	for shift := range 3 {                                         // octets of the group that come before the secret
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), secret...))
		whole := (shift + len(secret)) * 8 / 6
		encoded = squeeze(encoded[(shift*8+5)/6 : whole])
		if hasRun(shown, encoded, min(leastEncoded, len(encoded))) {
			return true
		}
	}
	return false
}

// squeeze drops what a reader does not see in a text: blanks, marks, and what
// Unicode says that a display ignores.
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

// hasRun reports whether so many octets in a row of hidden stand in text. The
// runs of the shorter one are kept, and those of the longer one are looked up.
func hasRun(text, hidden string, octets int) bool {
	short, long := text, hidden
	if len(hidden) < len(text) {
		short, long = hidden, text
	}
	var begins [256]bool // spares most of the lookups
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

// Printable makes a peer's text fit for a terminal and for one line of a log: it
// drops what is not printable, and all beyond 512 octets.
func Printable(s string) string {
	const most = 512
	cut := len(s) > most
	if cut {
		s = s[:most]
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if cut {
		s += "…"
	}
	return s
}
