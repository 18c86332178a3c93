package sasl

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// maxName limits the length of a name or a salt, in octets.
const maxName = 1 << 10

// checkName checks the syntax of a name: UTF-8 without NUL. RFC 4422 s3.4.1
// defines this syntax for an authorization identity, and RFC 4616 s2 for every
// name.
func checkName(name string) error {
	switch {
	case !utf8.ValidString(name) || strings.IndexByte(name, 0) >= 0:
		return errors.New("is not UTF-8 without NUL")
	case len(name) > maxName:
		return errors.New("is over 1 KiB")
	}
	return nil
}
