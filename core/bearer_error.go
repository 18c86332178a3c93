package sasl

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// BearerError is what the error challenge of OAUTHBEARER (RFC 7628 s3.2.2) and of
// XOAUTH2 says. Get it with errors.As from the error of a login. Its words are the
// server's and unverified, and they do not decide the class: that comes from the
// refusal that follows.
//
// The fields are printable, and each is cut after 512 octets. A server's
// BearerVerifier returns one for the challenge.
type BearerError struct {
	// Status is the error code, as the server wrote it: a word of the OAuth
	// Extensions Error Registry such as invalid_token or, in XOAUTH2, a status of
	// HTTP such as 401.
	Status string
	// Scope is a scope that the service wants; "" = none is stated.
	Scope string
	// OpenIDConfiguration is the URL of the provider's configuration (OpenID
	// Connect Discovery s3); "" = none is stated. This package never follows it. A
	// caller must not follow it without asking: an impostor could collect tokens
	// with it.
	OpenIDConfiguration string
	// Schemes are the schemes of tokens that the server takes, separated by
	// spaces. Only XOAUTH2 has them.
	Schemes string
}

// Error returns all fields.
func (e *BearerError) Error() string { return "the server refused the token: " + e.words() }

func (e *BearerError) words() string {
	text := "status " + orElse(e.Status, "(none)")
	for _, field := range []struct{ name, value string }{
		{"scope", e.Scope}, {"openid-configuration", e.OpenIDConfiguration}, {"schemes", e.Schemes},
	} {
		if field.value != "" {
			text += ", " + field.name + " " + field.value
		}
	}
	return text
}

// statusInvalidToken says that the token is expired, revoked or malformed
// (RFC 6750 s3.1).
const statusInvalidToken = "invalid_token"

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// maxBearerError bounds an error challenge, in octets.
const maxBearerError = 16 << 10

var (
	errBearerLong   = errors.New("is over 16 KiB")
	errBearerJSON   = errors.New("is not a JSON object in UTF-8")
	errBearerTwice  = errors.New("has a member twice")
	errBearerString = errors.New("has a member that is not a string")
	errBearerStatus = errors.New("has no status")
)

// parseBearerError reads an error challenge. Members that no specification has are
// ignored.
func parseBearerError(message []byte) (*BearerError, error) {
	switch {
	case len(message) > maxBearerError:
		return nil, errBearerLong
	case !utf8.Valid(message):
		return nil, errBearerJSON
	}
	e := new(BearerError)
	fields := map[string]*string{
		"status": &e.Status, "scope": &e.Scope, "openid-configuration": &e.OpenIDConfiguration, "schemes": &e.Schemes,
	}
	err := eachMember(message, func(name string, value json.RawMessage) error {
		field, known := fields[name]
		switch {
		case !known:
			return nil
		case field == nil:
			return errBearerTwice
		case value[0] != '"':
			return errBearerString
		}
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return errBearerString
		}
		*field, fields[name] = Printable(text), nil
		return nil
	})
	if err == nil && e.Status == "" {
		err = errBearerStatus
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// eachMember calls f with each member of a JSON object, in its order. The decoder
// of a struct would ignore case and take the last of two members.
func eachMember(object []byte, f func(name string, value json.RawMessage) error) error {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return errBearerJSON
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return errBearerJSON
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil || len(value) == 0 {
			return errBearerJSON
		}
		if err := f(name.(string), value); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil { // the end of the object
		return errBearerJSON
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errBearerJSON
	}
	return nil
}

// bearerChallenge is the JSON of an error challenge. RFC 7628 s3.2.2 has the
// members.
type bearerChallenge struct {
	Status              string `json:"status"`
	Schemes             string `json:"schemes,omitempty"`
	Scope               string `json:"scope,omitempty"`
	OpenIDConfiguration string `json:"openid-configuration,omitempty"`
}

// format renders a challenge. Its fields are cut as a client would cut them, so the
// challenge is far below maxBearerError.
func (c bearerChallenge) format() []byte {
	for _, field := range []*string{&c.Status, &c.Schemes, &c.Scope, &c.OpenIDConfiguration} {
		*field = Printable(*field)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // a URL has an ampersand
	if err := encoder.Encode(c); err != nil {
		panic("sasl: strings cannot be JSON: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
