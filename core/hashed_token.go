package sasl

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// The mechanisms HT-SHA-256-* (draft-schmaus-kitten-sasl-ht-09), which XEP-0484
// uses:
//
//	C: authcid NUL HMAC(token, "Initiator" || cb-data)
//	S: HMAC(token, "Responder" || cb-data), as a challenge or with success
//
// There is no nonce: a message that is not bound to the connection is the same each
// time.

// tokenBindingTypes holds the channel-binding type of each mechanism. The last four
// letters of the name denote the type.
var tokenBindingTypes = map[string]string{
	"HT-SHA-256-EXPR": "tls-exporter",
	"HT-SHA-256-UNIQ": "tls-unique",
	"HT-SHA-256-ENDP": "tls-server-end-point",
	"HT-SHA-256-NONE": "",
}

// tokensByPreference are the mechanisms that bind.
var tokensByPreference = []string{"HT-SHA-256-EXPR", "HT-SHA-256-UNIQ", "HT-SHA-256-ENDP"}

// tokenMAC returns HMAC(token, role || cb-data). The token must be usable.
func tokenMAC(token Token, role, binding []byte) []byte {
	mac := hmac.New(sha256.New, token.Secret.Bytes())
	mac.Write(role)
	mac.Write(binding)
	return mac.Sum(nil)
}

var (
	initiator = []byte("Initiator")
	responder = []byte("Responder")
)

// hashedToken is the client's mechanism, for one run with one token.
type hashedToken struct {
	name     string
	username string
	token    Token
}

func (m *hashedToken) Name() string { return m.name }

func (m *hashedToken) Properties() Properties { return hashedTokenProperties }

// hashedTokenProperties are the properties of both sides. The message counts the
// uses of the token, so the mechanism is not Repeatable.
var hashedTokenProperties = Properties{KeepsSecret: true, ProvesServer: true}

func (m *hashedToken) New(t Terms) Exchange {
	return &hashedTokenExchange{hashedToken: m, binding: t.Binding.Data}
}

type hashedTokenExchange struct {
	*hashedToken
	binding  []byte
	identity Identity
	mac      Secret // as sent
	proved   bool
	err      error
}

func (x *hashedTokenExchange) Identity() Identity { return x.identity }

func (x *hashedTokenExchange) Step(_ context.Context, in []byte) (out []byte, done bool, err error) {
	switch {
	case x.err != nil:
	case in == nil:
		out, x.err = x.initiate()
	case x.proved:
		x.err = protocolError("%s: a challenge after the server's only message", x.name)
	default:
		x.err = x.verify(in)
		out, x.proved = []byte{}, x.err == nil
	}
	if x.err != nil {
		return nil, false, x.err
	}
	return out, x.proved, nil
}

func (x *hashedTokenExchange) initiate() ([]byte, error) {
	if !x.token.usable() {
		return nil, classed(ErrPolicy, "%s: the token is an invalid key for HMAC in this process", x.name)
	}
	username, err := stringprep.Name(x.username)
	if err == nil {
		err = checkName(username)
	}
	if err != nil {
		return nil, configError("the username %w", err)
	}
	x.identity.Username = username
	mac := tokenMAC(x.token, initiator, x.binding)
	x.mac = hide(mac)
	return append(append([]byte(username), 0), mac...), nil
}

func (x *hashedTokenExchange) verify(message []byte) error {
	if subtle.ConstantTimeCompare(message, tokenMAC(x.token, responder, x.binding)) != 1 {
		return securityError("%s: the server's answer is wrong: the server does not know the token, or is bound to another connection", x.name)
	}
	return nil
}

// SentSecrets also returns the token. The client did not send the token, but the
// server knows the token.
func (x *hashedTokenExchange) SentSecrets() []Secret { return []Secret{x.mac, x.token.Secret} }

func (x *hashedTokenExchange) Describe(message []byte) string {
	mac := x.mac.Bytes()
	if username, ok := bytes.CutSuffix(message, mac); ok && len(mac) > 0 {
		return fmt.Sprintf("username=%q mac=…", bytes.TrimSuffix(username, []byte{0}))
	}
	return "mac=…"
}
