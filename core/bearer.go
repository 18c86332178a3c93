package sasl

import (
	"bytes"
	"context"
	"errors"
	"strings"
)

// BearerSource gives the token to log in with (RFC 6750). It is called when the
// mechanism is chosen, and may ask an authorization server or a person; it must
// return when ctx ends. An error without a Class counts as ErrConfig. After an
// error of the source, no other mechanism follows by itself.
//
// If the server refuses a token that is Renewable, the source is called once more
// in the same operation, with the refused token in Prompt.Refused. A source with a
// cache then returns another token: the one that it holds by now, or a new one.
type BearerSource func(ctx context.Context, prompt Prompt) (BearerToken, error)

// BearerToken is a token and the identity that it is for.
type BearerToken struct {
	// Username is the user of the token. XOAUTH2 needs it. OAUTHBEARER does not,
	// but some servers refuse a login without it. In XMPP it is a bare address, as in
	// alice@example.org, unless Authzid is.
	Username string
	// Authzid is the identity to act as; empty = Username. Each message has room
	// for one name: Authzid or, if it is empty, Username. So this is also the
	// mailbox of somebody else that the user may open.
	Authzid string
	// Token is the token as the authorization server issued it: 32 KiB at most, and
	// a b64token (RFC 6750 s2.1) or a secret-token URI (RFC 8959). Another token is
	// an ErrConfig, and nothing is sent.
	Token Secret
	// Renewable reports that the source can supply another token if the server
	// refuses this one.
	Renewable bool
}

// FixedBearerToken returns a source that has one token. It cannot supply another
// if the server refuses the token.
func FixedBearerToken(username, token string) BearerSource {
	fixed := BearerToken{Username: username, Token: NewSecret(token)}
	return func(context.Context, Prompt) (BearerToken, error) { return fixed, nil }
}

// ActingAs returns the same source with an authzid, the identity to act as.
func (s BearerSource) ActingAs(authzid string) BearerSource {
	return func(ctx context.Context, prompt Prompt) (BearerToken, error) {
		token, err := s(ctx, prompt)
		token.Authzid = authzid
		return token, err
	}
}

// bearerProperties are those of both sides. After a success there was one message,
// so an empty challenge asks for that message again. The error challenge is never
// empty. The gs2-cbind-flag of OAUTHBEARER says nothing: it is always n.
var bearerProperties = Properties{SingleMessage: true, Repeatable: true, Binds: BindsNever}

// bearerFormat is what differs between the mechanisms.
type bearerFormat struct {
	name   string
	format func(bearerMessage) []byte
	parse  func(string) (bearerMessage, error)
	// challenge renders a refusal as the JSON of the error challenge.
	challenge func(*BearerError) []byte
	// dummy is the client's answer to the error challenge.
	dummy []byte
	// needsName: a message without a name is invalid.
	needsName bool
}

// bearerMessage is the content of the client's message.
type bearerMessage struct {
	name  string // to act as; "" = not stated
	host  string // "" = not stated
	port  int    // 0 = not stated
	token []byte
}

// kvsep ends each part of a message (RFC 7628 s3.1).
const kvsep = "\x01"

const (
	bearerScheme   = "Bearer"
	maxBearerToken = 32 << 10 // octets
)

// check refuses what could move the borders between the parts of a message.
func (t *BearerToken) check() error {
	for _, name := range []string{t.Username, t.Authzid} {
		if err := checkBearerName(name); err != nil {
			return configError("the username or the authzid of the token %w", err)
		}
	}
	switch token := t.Token.Bytes(); {
	case len(token) == 0:
		return configError("the token is empty")
	case len(token) > maxBearerToken:
		return configError("the token is over 32 KiB")
	case !isBearerToken(token):
		return configError("the token has a character that no bearer token has (RFC 6750 section 2.1)")
	}
	return nil
}

func checkBearerName(name string) error {
	if strings.Contains(name, kvsep) {
		return errors.New("has a control-A, which ends a part of the message")
	}
	return checkName(name)
}

// isBearerToken reports whether b is a b64token (RFC 6750 s2.1) or a secret-token
// URI (RFC 8959 s2):
//
//	b64token         = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
//	secret-token-URI = "secret-token" ":" 1*pchar
//
// Prosody issues such URIs with base64 in them, so they may have a slash.
func isBearerToken(b []byte) bool {
	if rest, ok := bytes.CutPrefix(b, []byte("secret-token:")); ok {
		return consistsOf(rest, "-._~+/=%!$&'()*,;:@")
	}
	return consistsOf(bytes.TrimRight(b, "="), "-._~+/")
}

// consistsOf reports whether b is not empty and has only letters and digits of ASCII
// and the octets of others.
func consistsOf(b []byte, others string) bool {
	for _, c := range b {
		isAlnum := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !isAlnum && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return len(b) > 0
}

// parseCredentials reads what the Authorization header of HTTP would have
// (RFC 6750 s2.1). The name of a scheme ignores case (RFC 9110 s11.1).
func parseCredentials(value string) ([]byte, bool) {
	scheme, token, _ := strings.Cut(value, " ")
	token = strings.TrimLeft(token, " ")
	return []byte(token), strings.EqualFold(scheme, bearerScheme) && isBearerToken([]byte(token))
}
