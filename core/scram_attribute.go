package sasl

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxSCRAMMessage    = 8 << 10 // octets
	maxSCRAMAttributes = 32
)

// scramFault is a fault of a message, with the server-error-value of RFC 5802 s7 by
// which a server reports the fault.
type scramFault struct {
	serverError string // "" = other-error
	class       Class
	err         error
}

func (f *scramFault) Error() string { return f.class.Error() + ": SCRAM: " + f.err.Error() }

func (f *scramFault) Unwrap() []error { return []error{f.class, f.err} }

// fault returns a scramFault for a violation of the grammar.
func fault(serverError, format string, args ...any) error {
	return &scramFault{serverError, ErrProtocol, fmt.Errorf(format, args...)}
}

// nameFault returns the fault for an error of the gs2-header or of a name.
func nameFault(err error) error {
	if errors.Is(err, errSaslname) {
		return fault("invalid-username-encoding", "%w", err)
	}
	return fault("", "%w", err)
}

type attribute struct {
	name  byte
	value string
}

type attributes []attribute

// fewAttributes is the memory of the attributes of a usual message.
type fewAttributes [6]attribute

// splitAttributes appends the attributes of a message to list. It splits the message
// at its commas, which no value contains:
//
//	attr-val = ALPHA "=" value
//	value    = 1*value-char ; UTF-8 without NUL and ","
func splitAttributes(list attributes, msg string) (attributes, error) {
	switch {
	case len(msg) > maxSCRAMMessage:
		return nil, fault("", "the message is over 8 KiB")
	case strings.Count(msg, ",") >= maxSCRAMAttributes:
		return nil, fault("", "the message has more than 32 attributes")
	case !utf8.ValidString(msg) || strings.IndexByte(msg, 0) >= 0:
		return nil, fault("invalid-encoding", "the message is not UTF-8 without NUL")
	}
	for part := range strings.SplitSeq(msg, ",") {
		if len(part) < 2 || part[1] != '=' || !isAlpha(part[0]) {
			return nil, fault("", "the message is not a list of attributes")
		}
		list = append(list, attribute{part[0], part[2:]})
	}
	for _, a := range list {
		switch {
		case a.name == 'm': // RFC 5802 s5.1: MUST fail, at any place in the message
			return nil, fault("extensions-not-supported", "the message has a mandatory extension")
		case a.value == "" && a.name == 'p':
			return nil, fault("invalid-proof", "the proof is empty")
		case a.value == "":
			return nil, fault("", "attribute %c is empty", a.name)
		}
	}
	return list, nil
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func (l *attributes) take(name byte) (string, error) {
	if len(*l) == 0 || (*l)[0].name != name {
		return "", fault("", "attribute %c is missing or in a wrong place", name)
	}
	value := (*l)[0].value
	*l = (*l)[1:]
	return value, nil
}

// takeBase64 appends the decoded value to b.
func (l *attributes) takeBase64(b []byte, name byte) ([]byte, error) {
	value, err := l.take(name)
	if err != nil {
		return nil, err
	}
	decoded, err := appendDecoded(b, value)
	if err != nil {
		return nil, fault("invalid-encoding", "attribute %c %w", name, err)
	}
	return decoded, nil
}

func (l *attributes) takeNonce() (string, error) {
	nonce, err := l.take('r')
	if err != nil {
		return "", err
	}
	for i := range len(nonce) {
		if nonce[i] < 0x21 || nonce[i] > 0x7e {
			return "", fault("", "the nonce has a character that is not printable ASCII")
		}
	}
	return nonce, nil
}

func (l *attributes) serverError() (value string, ok bool) {
	if len(*l) == 0 || (*l)[0].name != 'e' {
		return "", false
	}
	value = (*l)[0].value
	*l = (*l)[1:]
	return value, true
}

// values returns the values of all attributes with this name, nil if there is none.
func (l attributes) values(name byte) (list []string) {
	for _, a := range l {
		if a.name == name {
			list = append(list, a.value)
		}
	}
	return list
}

// onlyExtensions returns an error if the list contains an attribute that has a
// place of its own in RFC 5802 s5.1: such an attribute would be a duplicate, or in
// a wrong place.
func (l attributes) onlyExtensions() error {
	for _, a := range l {
		if strings.IndexByte("anmrscipve", a.name) >= 0 {
			return fault("", "attribute %c is a duplicate or in a wrong place", a.name)
		}
	}
	return nil
}

// parsePositNumber parses a posit-number: no sign, no leading zero.
func parsePositNumber(s string) (int, error) {
	if s == "" || s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return 0, fault("", "the iteration count is not a number")
	}
	n, err := strconv.Atoi(s)
	if err != nil { // out of range
		return math.MaxInt, nil
	}
	return n, nil
}
