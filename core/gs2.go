package sasl

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// gs2Header is the gs2-header of RFC 5801 s4, which SCRAM takes over
// (RFC 5802 s7):
//
//	gs2-header     = gs2-cbind-flag "," [ authzid ] ","
//	gs2-cbind-flag = ("p=" cb-name) / "n" / "y"
//	authzid        = "a=" saslname
type gs2Header struct {
	flag    byte   // 'p', 'n' or 'y'
	cbName  string // only with 'p'
	authzid string // unescaped; "" = none
}

func (h gs2Header) append(b []byte) []byte {
	b = append(b, h.flag)
	if h.flag == 'p' {
		b = append(append(b, '='), h.cbName...)
	}
	b = append(b, ',')
	if h.authzid != "" {
		b = appendSaslname(append(b, "a="...), h.authzid)
	}
	return append(b, ',')
}

var (
	errSaslname   = errors.New(`a name is not UTF-8, or a "=" in it is followed by neither 2C nor 3D`)
	errNoSaslname = errors.New("a name is empty or too long")
)

// parseGS2Header returns the header and what follows it.
func parseGS2Header(msg string) (h gs2Header, rest string, err error) {
	flag, rest, ok1 := strings.Cut(msg, ",")
	authzid, rest, ok2 := strings.Cut(rest, ",")
	if !ok1 || !ok2 {
		return h, "", errors.New("the gs2-header is incomplete")
	}
	switch cbName, bound := strings.CutPrefix(flag, "p="); {
	case bound && validBindingType(cbName):
		h.flag, h.cbName = 'p', cbName
	case flag == "n", flag == "y":
		h.flag = flag[0]
	default:
		return h, "", errors.New("the gs2-cbind-flag is none of n, y and p=cb-name")
	}
	if authzid == "" {
		return h, rest, nil
	}
	name, ok := strings.CutPrefix(authzid, "a=")
	if !ok {
		return h, "", errors.New("the gs2-header has an invalid authzid")
	}
	h.authzid, err = parseSaslname(name)
	return h, rest, err
}

// validBindingType reports whether s is a cb-name: 1*(ALPHA / DIGIT / "." / "-").
func validBindingType(s string) bool {
	return s != "" && len(s) <= maxName && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

// appendSaslname escapes a name (RFC 5802 s5.1, attribute n).
func appendSaslname(b []byte, name string) []byte {
	for i := range len(name) {
		switch c := name[i]; c {
		case ',':
			b = append(b, "=2C"...)
		case '=':
			b = append(b, "=3D"...)
		default:
			b = append(b, c)
		}
	}
	return b
}

// parseSaslname undoes appendSaslname and allows no other spelling.
func parseSaslname(s string) (string, error) {
	switch {
	case s == "" || len(s) > maxName:
		return "", errNoSaslname
	case !utf8.ValidString(s) || strings.ContainsAny(s, "\x00,"):
		return "", errSaslname
	}
	if strings.IndexByte(s, '=') < 0 {
		return s, nil
	}
	var name strings.Builder
	for {
		plain, escaped, found := strings.Cut(s, "=")
		name.WriteString(plain)
		switch {
		case !found:
			return name.String(), nil
		case strings.HasPrefix(escaped, "2C"):
			name.WriteByte(',')
		case strings.HasPrefix(escaped, "3D"):
			name.WriteByte('=')
		default:
			return "", errSaslname
		}
		s = escaped[2:]
	}
}
