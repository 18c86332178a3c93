// Package stringprep prepares names, passwords and trace information according to
// SASLprep (RFC 4013) and the trace profile of RFC 4505, with the tables of Unicode
// 3.2.
package stringprep

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The reasons why a string cannot be prepared. No reason repeats a character of the
// string, because the string may be a password.
var (
	errPrepUTF8       = errors.New("is not valid UTF-8")
	errPrepProhibited = errors.New("has a character that SASLprep prohibits (RFC 4013 s2.3)")
	errPrepBidi       = errors.New("mixes right-to-left and left-to-right characters (RFC 3454 s6)")
	errPrepUnassigned = errors.New("has a character that Unicode 3.2 does not know (RFC 4013 s2.5)")
	errPrepMarks      = errors.New("has more than 30 combining characters in a row")
	errPrepLong       = errors.New("is over 4 KiB and not ASCII")
	errPrepEmpty      = errors.New("is empty after SASLprep")
)

// Query prepares a name by the rules of RFC 4013 for query strings: code points
// that are unassigned in Unicode 3.2 are allowed.
func Query(s string) (string, error) {
	if isPrintableASCII(s) {
		return s, nil
	}
	return saslprep(s)
}

// Stored prepares a password by the rules of RFC 4013 for stored strings, which RFC
// 5802 s2.2 demands: unassigned code points are an error.
func Stored(s string) (string, error) {
	if isPrintableASCII(s) {
		return s, nil
	}
	prepared, err := saslprep(s)
	if err == nil && strings.ContainsFunc(prepared, unassigned32.has) {
		return "", errPrepUnassigned
	}
	return prepared, err
}

// Name is Query for a name that must not be empty after the preparation.
func Name(s string) (string, error) {
	prepared, err := Query(s)
	if err == nil && prepared == "" {
		return "", errPrepEmpty
	}
	return prepared, err
}

// maxInput bounds what is prepared, in octets: some characters become eighteen
// others, and a peer that has proved nothing can send them.
const maxInput = 4 << 10

func saslprep(s string) (string, error) {
	if len(s) > maxInput {
		return "", errPrepLong
	}
	if !utf8.ValidString(s) {
		return "", errPrepUTF8
	}
	prepared := nfkc32(strings.Map(saslprepMap, s))
	if strings.ContainsRune(prepared, combiningGraphemeJoiner) {
		return "", errPrepMarks
	}
	if strings.ContainsFunc(prepared, prohibitedBySASLprep) {
		return "", errPrepProhibited
	}
	return prepared, checkBidi(prepared)
}

// combiningGraphemeJoiner is mapped to nothing. But golang.org/x/text inserts this
// character into a long row of combining characters (UAX 15 s13), which Unicode 3.2
// did not.
const combiningGraphemeJoiner = '\u034F'

// saslprepMap implements RFC 4013 s2.1. U+200B is in both tables of that section;
// table B.1 takes precedence.
func saslprepMap(r rune) rune {
	switch {
	case mappedToNothing.has(r):
		return -1
	case nonASCIISpace.has(r):
		return ' '
	}
	return r
}

func prohibitedBySASLprep(r rune) bool {
	return prohibitedTrace.has(r) || prohibitedIdeographic.has(r) || nonASCIISpace.has(r)
}

// Trace checks trace information with the trace profile of stringprep (RFC 4505
// s3), which maps and normalises nothing.
func Trace(s string) error {
	if !utf8.ValidString(s) {
		return errPrepUTF8
	}
	if strings.ContainsFunc(s, prohibitedTrace.has) {
		return errors.New("has a character that the trace profile prohibits (RFC 4505 s3)")
	}
	return checkBidi(s)
}

// checkBidi implements RFC 3454 s6.
func checkBidi(s string) error {
	if !strings.ContainsFunc(s, bidiRandAL.has) {
		return nil
	}
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	if strings.ContainsFunc(s, bidiL.has) || !bidiRandAL.has(first) || !bidiRandAL.has(last) {
		return errPrepBidi
	}
	return nil
}

// corrigendum4 holds the five ideographs whose decomposition was corrected after
// Unicode 3.2. RFC 3454 uses Unicode 3.2, and every stored password depends on that.
var corrigendum4 = strings.NewReplacer(
	"\U0002F868", "\U0002136A",
	"\U0002F874", "\u5F33",
	"\U0002F91F", "\u43AB",
	"\U0002F95F", "\u7AAE",
	"\U0002F9BF", "\u4D57",
)

// nfkc32 computes normalisation form KC of Unicode 3.2 with the tables of a later
// Unicode. Code points that Unicode 3.2 did not know stay unchanged and separate
// the text before them from the text after them. The form of all other code points
// has not changed, except in corrigendum4.
func nfkc32(s string) string {
	s = corrigendum4.Replace(s)
	var out strings.Builder
	for s != "" {
		known := strings.IndexFunc(s, unassigned32.has)
		if known < 0 {
			out.WriteString(norm.NFKC.String(s))
			break
		}
		_, size := utf8.DecodeRuneInString(s[known:])
		out.WriteString(norm.NFKC.String(s[:known]))
		out.WriteString(s[known : known+size])
		s = s[known+size:]
	}
	return out.String()
}

func isPrintableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
