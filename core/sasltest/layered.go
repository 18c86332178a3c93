package sasltest

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
)

// Layered is a client's mechanism with a security layer (RFC 4422 s3.7), for tests
// of adapters. Its keys are public, so the mechanism protects nothing. The client
// sends one message; the server answers with ServerLayer's proof of that message.
type Layered struct {
	// Strength is the strength that the mechanism negotiates; "" = the strength
	// that the run demands.
	Strength sasl.LayerStrength
	// MaxProtected is the maximum of both sides for a buffer, in octets; 0 = 4096.
	MaxProtected int
}

// Name returns the name that TestAdapter offers.
func (Layered) Name() string { return mechanismName }

// Properties declares a mechanism with layers that is safe without TLS.
func (Layered) Properties() sasl.Properties {
	return sasl.Properties{KeepsSecret: true, ProvesServer: true, Binds: sasl.BindsNever, Layers: true, SafeWithoutTLS: true}
}

// New starts a run.
func (m Layered) New(t sasl.Terms) sasl.Exchange {
	if m.Strength == "" {
		m.Strength = t.Layer
	}
	if m.MaxProtected == 0 {
		m.MaxProtected = 4096
	}
	return &layeredExchange{Layered: m}
}

type layeredExchange struct {
	Layered
	sent  []byte
	layer sasl.Layer
	err   error
}

func (*layeredExchange) Identity() sasl.Identity    { return sasl.Identity{Username: "user"} }
func (x *layeredExchange) Layer() sasl.Layer        { return x.layer }
func (*layeredExchange) SentSecrets() []sasl.Secret { return nil }

func (x *layeredExchange) Step(_ context.Context, in []byte) (out []byte, done bool, err error) {
	switch {
	case x.err != nil:
	case x.sent == nil:
		text := fmt.Sprintf("%s %d %s ", x.Strength, x.MaxProtected, rand.Text())
		x.sent = append([]byte(text), fmt.Sprintf("%x", publicMAC(text))...)
		return x.sent, false, nil
	default:
		layer, proof, err := layerOfMessage(x.sent, true)
		if err != nil {
			x.err = err
			break
		}
		x.err = fmt.Errorf("%w: the mechanism for tests: a wrong proof, or a challenge after the proof", sasl.ErrSecurity)
		if x.layer == nil && hmac.Equal(in, proof) {
			x.layer = layer
			return []byte{}, true, nil
		}
	}
	return nil, false, x.err
}

// ServerLayer returns the server's side of a Layered run, from the client's
// message: the proof that the server has to send, and the layer; a nil layer means
// that the run has none.
func ServerLayer(message []byte) (layer sasl.Layer, proof []byte, err error) {
	return layerOfMessage(message, false)
}

func layerOfMessage(message []byte, client bool) (sasl.Layer, []byte, error) {
	var strength, nonce string
	var most int
	text := message[:max(0, len(message)-2*sha256.Size)]
	n, _ := fmt.Sscanf(string(text), "%s %d %s", &strength, &most, &nonce)
	if n != 3 || string(message[len(text):]) != fmt.Sprintf("%x", publicMAC(string(text))) {
		return nil, nil, fmt.Errorf("%w: an invalid message of the mechanism for tests", sasl.ErrProtocol)
	}
	l := &layer{strength: sasl.LayerStrength(strength), most: most}
	key := func(role string) []byte {
		mac := hmac.New(sha256.New, message)
		mac.Write([]byte(role))
		return mac.Sum(nil)
	}
	l.out.key, l.in.key = key("client"), key("server")
	if !client {
		l.out.key, l.in.key = l.in.key, l.out.key
	}
	proof := key("proof")
	if strength == string(sasl.NoLayer) {
		return nil, proof, nil
	}
	return l, proof, nil
}

// publicMAC detects changes of the client's message by a test.
func publicMAC(text string) []byte {
	mac := hmac.New(sha256.New, []byte("a public key of "+mechanismName)) // FIPS 140 demands 14 octets
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// layer is a layer with HMAC-SHA-256 over a count and the octets. If the layer is
// confidential, it adds the octets to a repeated key stream first.
type layer struct {
	strength sasl.LayerStrength
	most     int
	out, in  direction
}

// direction is one direction of a layer.
type direction struct {
	key   []byte
	count uint64
}

func (l *layer) Strength() sasl.LayerStrength { return l.strength }
func (l *layer) MaxPlain() int                { return l.most - sha256.Size }
func (l *layer) MaxProtected() int            { return l.most }

func (l *layer) Wrap(plain []byte) ([]byte, error) {
	if len(plain) > l.MaxPlain() {
		return nil, fmt.Errorf("%w: %d octets for one buffer, of at most %d", sasl.ErrConfig, len(plain), l.MaxPlain())
	}
	body := l.mask(&l.out, plain)
	protected := append(l.out.mac("octets", body), body...)
	l.out.count++
	return protected, nil
}

func (l *layer) Unwrap(protected []byte) ([]byte, error) {
	if len(protected) < sha256.Size {
		return nil, fmt.Errorf("%w: a buffer of %d octets", sasl.ErrSecurity, len(protected))
	}
	mac, body := protected[:sha256.Size], protected[sha256.Size:]
	if !hmac.Equal(mac, l.in.mac("octets", body)) {
		return nil, fmt.Errorf("%w: buffer %d does not verify", sasl.ErrSecurity, l.in.count)
	}
	plain := l.mask(&l.in, body)
	l.in.count++
	return plain, nil
}

// mask hides or shows octets; without confidentiality it returns them as they are.
func (l *layer) mask(d *direction, b []byte) []byte {
	if l.strength != sasl.ConfidentialityLayer {
		return b
	}
	stream, masked := d.mac("stream", nil), make([]byte, len(b))
	for i := range b {
		masked[i] = b[i] ^ stream[i%len(stream)]
	}
	return masked
}

func (d *direction) mac(role string, b []byte) []byte {
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(role))
	mac.Write(binary.BigEndian.AppendUint64(nil, d.count))
	mac.Write(b)
	return mac.Sum(nil)
}
