package saslkerberos

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/kerberos/internal/der"
)

// toy is one side of a security context with a shared key, without strong encryption. It
// tests the mechanisms; package krb5 tests real contexts.
type toy struct {
	key                  sasl.Secret
	initiator            bool
	name                 string
	binding              []byte
	sent                 []byte // the initiator's token
	toSend, toBeReceived uint64
}

// initiate returns an Initiator for a user with this key.
func initiate(user, key string) Initiator {
	return func(_ context.Context, request Request) (SecurityContext, error) {
		return &toy{key: sasl.NewSecret(key), initiator: true, name: user, binding: request.ChannelBinding}, nil
	}
}

func (c *toy) mac(parts ...[]byte) []byte {
	h := hmac.New(sha256.New, c.key.Bytes())
	for _, part := range parts {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write(part)
	}
	return h.Sum(nil)
}

func (c *toy) Initiator() string { return c.name }

func (c *toy) Step(in []byte) (out []byte, established bool, err error) {
	switch {
	case c.sent == nil:
		nonce := make([]byte, 8)
		rand.Read(nonce)
		body := append(nonce, c.name...)
		c.sent = framed(append(c.mac([]byte("initiate"), body, c.binding), body...))
		return c.sent, false, nil
	case !hmac.Equal(in, c.mac([]byte("accept"), c.sent)):
		return nil, false, fmt.Errorf("%w: the acceptor has not proved its identity", sasl.ErrSecurity)
	}
	return nil, true, nil
}

// framed puts a message into a token of Kerberos.
func framed(message []byte) []byte {
	return der.Append(nil, tagToken, append(der.Append(nil, tagOID, kerberosOID), message...))
}

// accept takes the initiator's token and returns the proof.
func (c *toy) accept(token []byte) ([]byte, error) {
	in, _ := withoutFrame(token)
	if len(in) < sha256.Size+8 || !hmac.Equal(in[:sha256.Size], c.mac([]byte("initiate"), in[sha256.Size:], c.binding)) {
		return nil, &sasl.Failure{Condition: sasl.NotAuthorized}
	}
	c.name = string(in[sha256.Size+8:])
	return c.mac([]byte("accept"), token), nil
}

// protect returns the integrity check of the next message in one direction.
func (c *toy) protect(fromInitiator bool, sequence *uint64, kind string, message []byte) []byte {
	direction := []byte{0}
	if fromInitiator {
		direction[0] = 1
	}
	mac := c.mac(direction, binary.BigEndian.AppendUint64(nil, *sequence), []byte(kind), message)
	*sequence++
	return mac
}

func kind(sealed bool) string {
	if sealed {
		return "sealed"
	}
	return "signed"
}

func (c *toy) Wrap(message []byte, seal bool) ([]byte, error) {
	message = hide(message, seal)
	return append(append([]byte(kind(seal)), message...), c.protect(c.initiator, &c.toSend, kind(seal), message)...), nil
}

// hide hides and shows a message that is sealed.
func hide(message []byte, sealed bool) []byte {
	message = bytes.Clone(message)
	for i := range message {
		if sealed {
			message[i] ^= 0x55
		}
	}
	return message
}

var errToy = fmt.Errorf("%w: a token does not verify", sasl.ErrSecurity)

func (c *toy) Unwrap(token []byte) (message []byte, sealed bool, err error) {
	if len(token) < 6+sha256.Size {
		return nil, false, errToy
	}
	label, message, mac := string(token[:6]), token[6:len(token)-sha256.Size], token[len(token)-sha256.Size:]
	if !hmac.Equal(mac, c.protect(!c.initiator, &c.toBeReceived, label, message)) {
		return nil, false, errToy
	}
	return hide(message, label == "sealed"), label == "sealed", nil
}

func (c *toy) WrapLimit(size int, _ bool) int { return max(size-6-sha256.Size, 0) }

func (c *toy) MIC(message []byte) ([]byte, error) {
	return c.protect(c.initiator, &c.toSend, "mic", message), nil
}

func (c *toy) VerifyMIC(message, mic []byte) error {
	if !hmac.Equal(mic, c.protect(!c.initiator, &c.toBeReceived, "mic", message)) {
		return errToy
	}
	return nil
}
