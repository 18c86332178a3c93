package sasl

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	digestAlgorithm  = "md5-sess"
	digestQOP        = "auth"     // authentication alone
	digestNonceCount = "00000001" // of an initial authentication
)

// The limits of RFC 2831 s2.1.1 and s2.1.2, in octets.
const (
	maxDigestChallenge = 2048
	maxDigestResponse  = 4096
)

// digestChallenge is the digest-challenge of RFC 2831 s2.1.1.
type digestChallenge struct {
	realms []string // in UTF-8
	nonce  string
	utf8   bool // charset=utf-8: the names of the response are in UTF-8, otherwise in ISO 8859-1
}

// errNeedsLayer: a security layer is not possible. RFC 6331 says what is wrong with
// these layers.
var errNeedsLayer = classed(ErrPolicy, "the server demands a security layer (auth-int or auth-conf): use TLS and another mechanism")

func parseDigestChallenge(message string) (c *digestChallenge, err error) {
	if len(message) >= maxDigestChallenge {
		return nil, errors.New("the challenge has more than 2047 octets")
	}
	list, err := parseDirectives(message)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"stale", "cipher"} {
		if _, found, err := list.one(name); err != nil || found && name == "stale" {
			return nil, orElseError(err, "the directive stale is not in a first authentication (RFC 2831 section 2.1.1)")
		}
	}
	c = &digestChallenge{realms: list.all("realm")}
	if c.nonce, _, err = list.one("nonce"); err != nil || c.nonce == "" {
		return nil, orElseError(err, "the challenge has no nonce")
	}
	if algorithm, _, err := list.one("algorithm"); err != nil || !strings.EqualFold(algorithm, digestAlgorithm) {
		return nil, orElseError(err, "the algorithm is not md5-sess")
	}
	if err := checkMaxbuf(list); err != nil {
		return nil, err
	}
	if c.utf8, err = parseCharset(list); err != nil {
		return nil, err
	}
	for i, realm := range c.realms {
		if c.realms[i], err = decodeText(realm, c.utf8); err != nil {
			return nil, err
		}
	}
	return c, checkQOP(list)
}

// checkMaxbuf checks the size of a security layer's buffer, although there is no
// layer.
func checkMaxbuf(list directives) error {
	text, found, err := list.one("maxbuf")
	if err != nil || !found {
		return err
	}
	if size, err := strconv.ParseUint(text, 10, 24); err != nil || size <= 16 {
		return errors.New("maxbuf is not a number from 17 to 16777215")
	}
	return nil
}

// checkQOP demands that the server offers an authentication without a layer. The
// quality of protection "auth" is the default.
func checkQOP(list directives) error {
	text, found, err := list.one("qop")
	if err != nil || !found {
		return err
	}
	options := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(", \t", r) })
	switch {
	case slices.Contains(options, digestQOP):
		return nil
	case slices.Contains(options, "auth-int"), slices.Contains(options, "auth-conf"):
		return errNeedsLayer
	}
	return errors.New("qop has no known quality of protection")
}

func parseCharset(list directives) (isUTF8 bool, err error) {
	text, found, err := list.one("charset")
	if err != nil || found && !strings.EqualFold(text, "utf-8") {
		return false, orElseError(err, "the charset is not utf-8")
	}
	return found, nil
}

// orElseError returns err, or an error with the text if err is nil.
func orElseError(err error, text string) error {
	if err != nil {
		return err
	}
	return errors.New(text)
}

// digestResponse is the digest-response of RFC 2831 s2.1.2.
type digestResponse struct {
	utf8                  bool   // as in the challenge
	username, realm       string // in UTF-8
	hasRealm              bool
	nonce, cnonce, digest string // digest: in 32 lower-case hexadecimal digits
	uri                   string // serv-type "/" host
	authzid               string // in UTF-8; "" = not stated
}

// format returns the message. The order is that of the examples of RFC 2831 s4.
func (r *digestResponse) format() string {
	var b strings.Builder
	if r.utf8 {
		b.WriteString("charset=utf-8,")
	}
	b.WriteString("username=" + quoted(encodeText(r.username, r.utf8)))
	if r.hasRealm {
		b.WriteString(",realm=" + quoted(encodeText(r.realm, r.utf8)))
	}
	b.WriteString(",nonce=" + quoted(r.nonce) + ",nc=" + digestNonceCount + ",cnonce=" + quoted(r.cnonce) +
		",digest-uri=" + quoted(r.uri) + ",response=" + r.digest + ",qop=" + digestQOP)
	if r.authzid != "" {
		b.WriteString(",authzid=" + quoted(r.authzid))
	}
	return b.String()
}

func parseDigestResponse(message string) (r *digestResponse, err error) {
	if len(message) >= maxDigestResponse {
		return nil, errors.New("the response has more than 4095 octets")
	}
	list, err := parseDirectives(message)
	if err != nil {
		return nil, err
	}
	r = new(digestResponse)
	count, qop, err := r.read(list)
	if err != nil {
		return nil, err
	}
	if r.username, err = decodeText(r.username, r.utf8); err != nil {
		return nil, err
	}
	if r.realm, err = decodeText(r.realm, r.utf8); err != nil {
		return nil, err
	}
	switch {
	case count != digestNonceCount:
		return nil, errors.New("the nonce count is not 1")
	case !strings.EqualFold(qop, digestQOP):
		return nil, errors.New("the quality of protection was not offered")
	case !isLowerHex(r.digest):
		return nil, errors.New("the digest is not 32 lower-case hexadecimal digits")
	}
	return r, checkMaxbuf(list)
}

// read sets the fields of r from the directives, the names as in the message, and
// returns the nonce count and the quality of protection.
func (r *digestResponse) read(list directives) (count, qop string, err error) {
	qop = digestQOP
	hasAuthzid := false
	if r.utf8, err = parseCharset(list); err != nil {
		return "", "", err
	}
	for _, field := range []struct {
		name  string
		value *string
		found *bool // nil = the directive is required
	}{
		{"username", &r.username, nil}, {"realm", &r.realm, &r.hasRealm}, {"nonce", &r.nonce, nil},
		{"cnonce", &r.cnonce, nil}, {"nc", &count, nil}, {"qop", &qop, new(bool)}, {"digest-uri", &r.uri, nil},
		{"response", &r.digest, nil}, {"authzid", &r.authzid, &hasAuthzid},
	} {
		value, found, err := list.one(field.name)
		switch {
		case err != nil:
			return "", "", err
		case field.found == nil && value == "":
			return "", "", errors.New("the response has no " + field.name)
		case found:
			*field.value = value
		}
		if field.found != nil {
			*field.found = found
		}
	}
	if hasAuthzid && r.authzid == "" {
		return "", "", errors.New("the authzid is empty")
	}
	return count, qop, nil
}

// decodeText returns a name of a message in UTF-8.
func decodeText(text string, isUTF8 bool) (string, error) {
	if isUTF8 {
		if !utf8.ValidString(text) {
			return "", errors.New("a name is not UTF-8, which the charset demands")
		}
		return text, nil
	}
	runes := make([]rune, len(text))
	for i := range len(text) {
		runes[i] = rune(text[i]) // ISO 8859-1 is the beginning of Unicode
	}
	return string(runes), nil
}

// encodeText returns a name in the charset of a message. The caller has checked that
// ISO 8859-1 has the characters of the name.
func encodeText(text string, isUTF8 bool) string {
	if latin1, ok := toLatin1(text); ok && !isUTF8 {
		return latin1
	}
	return text
}

// toLatin1 returns a text in ISO 8859-1, if ISO 8859-1 has all its characters.
func toLatin1(text string) (string, bool) {
	latin1 := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return "", false
		}
		latin1 = append(latin1, byte(r))
	}
	return string(latin1), true
}
