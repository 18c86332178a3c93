// Package stringprep prepares names, passwords and trace information as
// SASLprep (RFC 4013) and the trace profile of RFC 4505 specify, by the tables
// of Unicode 3.2.
package stringprep

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The reasons a string cannot be prepared. None of them repeats a character of
// the string: it may be a password.
var (
	errPrepUTF8       = errors.New("is not valid UTF-8")
	errPrepProhibited = errors.New("has a character that SASLprep prohibits (RFC 4013 s2.3)")
	errPrepBidi       = errors.New("mixes right-to-left and left-to-right characters (RFC 3454 s6)")
	errPrepUnassigned = errors.New("has a character that Unicode 3.2 does not know (RFC 4013 s2.5)")
	errPrepMarks      = errors.New("has more than 30 combining characters in a row")
	errPrepLong       = errors.New("is over 4 KiB and not ASCII")
	errPrepEmpty      = errors.New("is empty after SASLprep")
)

// Query prepares a name as RFC 4013 says for query strings: code
// points unassigned in Unicode 3.2 are allowed.
func Query(s string) (string, error) {
	if isPrintableASCII(s) {
		return s, nil
	}
	return saslprep(s)
}

// Stored prepares a password as RFC 4013 says for stored strings,
// which is how RFC 5802 s2.2 wants it: unassigned code points are an error.
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

// Name is Query for a name that may not come out empty.
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

// combiningGraphemeJoiner is mapped to nothing, but golang.org/x/text puts one
// between combining characters of which there are very many (UAX 15 s13), as
// Unicode 3.2 did not.
const combiningGraphemeJoiner = '\u034F'

// saslprepMap is RFC 4013 s2.1. U+200B stands in both of its tables; table B.1
// wins.
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

// Trace checks trace information against the trace profile of
// stringprep (RFC 4505 s3), which maps and normalises nothing.
func Trace(s string) error {
	if !utf8.ValidString(s) {
		return errPrepUTF8
	}
	if strings.ContainsFunc(s, prohibitedTrace.has) {
		return errors.New("has a character that the trace profile prohibits (RFC 4505 s3)")
	}
	return checkBidi(s)
}

// checkBidi is RFC 3454 s6.
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

// corrigendum4 holds the five ideographs whose decomposition was corrected
// after Unicode 3.2. RFC 3454 keeps to 3.2, and so does every stored password.
var corrigendum4 = strings.NewReplacer(
	"\U0002F868", "\U0002136A",
	"\U0002F874", "\u5F33",
	"\U0002F91F", "\u43AB",
	"\U0002F95F", "\u7AAE",
	"\U0002F9BF", "\u4D57",
)

// nfkc32 is normalisation form KC of Unicode 3.2 on top of a later Unicode:
// code points that 3.2 did not know stay as they are and separate what stands
// around them, the rest has not changed, except corrigendum4.
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
