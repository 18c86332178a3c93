package sasl

import (
	"errors"
	"strings"
)

// directives are the directives of a message of RFC 2831 s2.1, in their order.
type directives []directive

type directive struct {
	name  string // in lower case
	value string // without quotes and escapes
}

var errDirectives = errors.New("the message is not a list of directives (RFC 2831 section 2.1)")

// parseDirectives reads name=value pairs between commas. The list may have empty
// elements and white space around the elements (RFC 2831 s7.1). A value is a token
// or a quoted string, regardless of its name: servers differ in the form that they
// use.
func parseDirectives(message string) (list directives, err error) {
	for {
		message = strings.TrimLeft(message, " \t\r\n,")
		if message == "" {
			return list, nil
		}
		name, rest, found := strings.Cut(message, "=")
		if !found || !isToken(name) {
			return nil, errDirectives
		}
		d := directive{name: strings.ToLower(name)}
		if d.value, rest, err = parseDirectiveValue(rest); err != nil {
			return nil, err
		}
		list = append(list, d)
		if message = strings.TrimLeft(rest, " \t\r\n"); message != "" && message[0] != ',' {
			return nil, errDirectives
		}
	}
}

// parseDirectiveValue reads a token or a quoted string.
func parseDirectiveValue(text string) (value, rest string, err error) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, " \t\r\n,")
		if end < 0 {
			end = len(text)
		}
		if !isToken(text[:end]) {
			return "", "", errDirectives
		}
		return text[:end], text[end:], nil
	}
	var unquoted strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return unquoted.String(), text[i+1:], nil
		case c == '\\': // quoted-pair = "\" CHAR
			if i++; i == len(text) || isControl(text[i]) || text[i] >= 0x80 {
				return "", "", errDirectives
			}
			unquoted.WriteByte(text[i])
		case isControl(c):
			return "", "", errDirectives
		default:
			unquoted.WriteByte(c)
		}
	}
	return "", "", errDirectives
}

// isToken reports whether a text is a token of RFC 2831 s7.1.
func isToken(text string) bool {
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return text != ""
}

func isControl(c byte) bool { return c < ' ' || c == 0x7f }

// hasControl reports whether a text has a control character, which a quoted string
// has no form for.
func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// one returns the value of a directive that a message has at most once.
func (list directives) one(name string) (value string, found bool, err error) {
	for _, d := range list {
		if d.name != name {
			continue
		}
		if found {
			return "", false, errors.New("the directive " + name + " is there twice")
		}
		value, found = d.value, true
	}
	return value, found, nil
}

// all returns the values of a directive that a message may have more than once.
func (list directives) all(name string) (values []string) {
	for _, d := range list {
		if d.name == name {
			values = append(values, d.value)
		}
	}
	return values
}

// quoted returns a value as a quoted string.
func quoted(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}
