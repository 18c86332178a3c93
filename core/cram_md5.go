package sasl

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
)

// CRAM-MD5 (RFC 2195 s2):
//
//	S: challenge
//	C: username SP digest
//
// The digest is HMAC-MD5 of the challenge, with the password as the key.

// CRAMMD5 is the client's CRAM-MD5 mechanism (RFC 2195). The mechanism is historic:
// the server proves nothing, and an eavesdropper or an impostor can test guesses of
// the password. Use it only for a server that offers nothing better. The password is
// used without preparation.
//
// PasswordMechanisms does not return CRAM-MD5, and the mechanism is unavailable if
// FIPS 140 is enforced. CRAM-MD5 has no authzid: credentials with an Authzid are an
// ErrConfig. An empty challenge is an ErrProtocol, because the digest would be the
// same in every login.
func CRAMMD5(credentials Credentials) Mechanism { return cramMD5{credentials} }

type cramMD5 struct{ credentials Credentials }

const cramMD5Name = "CRAM-MD5"

func (cramMD5) Name() string           { return cramMD5Name }
func (cramMD5) Properties() Properties { return historicProperties(false) }

func (m cramMD5) New(t Terms) Exchange { return &cramMD5Exchange{cramMD5: m, terms: t} }

type cramMD5Exchange struct {
	cramMD5
	terms Terms
	step  int
	err   error

	credential       Credential
	password, digest Secret // the digest as sent
}

func (x *cramMD5Exchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	if x.err != nil {
		return nil, false, x.err
	}
	switch x.step {
	case 0:
		x.err = x.ask(ctx)
	case 1:
		out, x.err = x.response(ctx, in)
		done = true
	default:
		x.err = protocolError("%s: a challenge after the response", cramMD5Name)
	}
	x.step++
	if x.err != nil {
		return nil, false, x.err
	}
	return out, done, nil
}

// ask gets the credential, but not yet the password.
func (x *cramMD5Exchange) ask(ctx context.Context) error {
	c, err := x.credentials.credential(ctx, cramMD5Name, &x.terms.Server)
	if err != nil {
		return err
	}
	if err := c.checkNames(); err != nil {
		return err
	}
	x.credential = c
	return c.checkNoAuthzid(cramMD5Name)
}

func (x *cramMD5Exchange) response(ctx context.Context, challenge []byte) ([]byte, error) {
	if len(challenge) == 0 {
		return nil, protocolError("%s: the challenge is empty", cramMD5Name)
	}
	password, err := x.credential.unpreparedPassword(ctx)
	if err != nil {
		return nil, err
	}
	digest := cramMD5Digest(password, challenge)
	x.password, x.digest = NewSecret(password), NewSecret(digest)
	return []byte(x.credential.Username + " " + digest), nil
}

func (x *cramMD5Exchange) Identity() Identity { return Identity{Username: x.credential.Username} }

// SentSecrets also returns the password: the server stores the password, and can
// repeat it.
func (x *cramMD5Exchange) SentSecrets() []Secret { return []Secret{x.digest, x.password} }

func (x *cramMD5Exchange) Describe(message []byte) string {
	if username, _, ok := cutCRAMMD5(string(message)); ok {
		return fmt.Sprintf("username=%q digest=…", username)
	}
	return fmt.Sprintf("challenge=%q", message)
}

// cramMD5Digest returns the digest in lower-case hexadecimal digits.
func cramMD5Digest(password, challenge []byte) string {
	mac := hmac.New(md5.New, password)
	mac.Write(challenge)
	return hex.EncodeToString(mac.Sum(nil))
}

// cutCRAMMD5 cuts a response at its last space: a username may have spaces.
func cutCRAMMD5(message string) (username, digest string, ok bool) {
	i := strings.LastIndexByte(message, ' ')
	if i < 1 || !isLowerHex(message[i+1:]) {
		return "", "", false
	}
	return message[:i], message[i+1:], true
}
