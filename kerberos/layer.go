package saslkerberos

import (
	"encoding/binary"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
)

// The security layers of RFC 4752 s3.1, as bits.
const (
	layerNone            = 1
	layerIntegrity       = 2
	layerConfidentiality = 4
)

const (
	// maxToken is the largest token that GSSAPI asks the server for, in octets.
	maxToken = 64 << 10
	// maxUnstated is the largest token of a server to which no maximum was stated, as
	// in GSS-SPNEGO: the largest number that a maximum of RFC 4752 can have.
	maxUnstated = 1<<24 - 1
)

// layer is a security layer over a security context: each buffer is a token of
// GSS_Wrap.
type layer struct {
	context  SecurityContext
	seal     bool
	maxPlain int
	maxToken int // of the server's tokens
}

// newLayer returns a layer whose tokens have at most peer octets.
func newLayer(context SecurityContext, seal bool, peer, own int) (*layer, error) {
	l := &layer{context, seal, context.WrapLimit(peer, seal), own}
	if l.maxPlain < 1 {
		return nil, fmt.Errorf("%w: the server takes tokens of at most %d octets, which have no room for a message", sasl.ErrProtocol, peer)
	}
	return l, nil
}

func (l *layer) Strength() sasl.LayerStrength {
	if l.seal {
		return sasl.ConfidentialityLayer
	}
	return sasl.IntegrityLayer
}

func (l *layer) MaxPlain() int                     { return l.maxPlain }
func (l *layer) MaxProtected() int                 { return l.maxToken }
func (l *layer) Wrap(plain []byte) ([]byte, error) { return l.context.Wrap(plain, l.seal) }

func (l *layer) Unwrap(token []byte) ([]byte, error) {
	plain, sealed, err := l.context.Unwrap(token)
	if err == nil && l.seal && !sealed {
		return nil, fmt.Errorf("%w: a token of the confidential layer is not encrypted", sasl.ErrSecurity)
	}
	return plain, err
}

// layerFor chooses the layer from a server's offer of RFC 4752 s3.1, by its bit.
func layerFor(demanded sasl.LayerStrength, offered byte) (bit byte, err error) {
	switch {
	case demanded == sasl.ConfidentialityLayer && offered&layerConfidentiality == 0:
		return 0, fmt.Errorf("%w: the server offers no confidential security layer: use TLS", sasl.ErrPolicy)
	case demanded == sasl.ConfidentialityLayer:
		return layerConfidentiality, nil
	case demanded == sasl.IntegrityLayer && offered&layerIntegrity != 0:
		return layerIntegrity, nil
	case demanded == sasl.IntegrityLayer && offered&layerConfidentiality != 0:
		return layerConfidentiality, nil
	case demanded == sasl.IntegrityLayer:
		return 0, fmt.Errorf("%w: the server offers no security layer: use TLS", sasl.ErrPolicy)
	case offered&layerNone == 0:
		return 0, fmt.Errorf("%w: the server demands a security layer: use TLS", sasl.ErrPolicy)
	}
	return layerNone, nil
}

// choose answers the server's offer (RFC 4752 s3.1), and makes the chosen layer.
func (h *handshake) choose(in []byte) ([]byte, error) {
	offer, _, err := h.context.Unwrap(in)
	if err != nil {
		return nil, err
	}
	if len(offer) != 4 {
		return nil, fmt.Errorf("%w: the offer of security layers has %d octets instead of 4", sasl.ErrProtocol, len(offer))
	}
	bit, err := layerFor(h.terms.Layer, offer[0])
	if h.disagrees = err != nil; err != nil {
		return nil, err
	}
	most := uint32(0) // without a layer the maximum size has to be 0
	if bit != layerNone {
		most = maxToken
		if h.layer, err = newLayer(h.context, bit == layerConfidentiality, int(binary.BigEndian.Uint32(offer)&maxUnstated), maxToken); err != nil {
			return nil, err
		}
	}
	answer := binary.BigEndian.AppendUint32(nil, uint32(bit)<<24|most)
	return h.context.Wrap(append(answer, h.mechanism.options.Authzid...), false)
}

// demandsLayer reports whether the run has to negotiate a layer.
func (h *handshake) demandsLayer() bool {
	return h.terms.Layer == sasl.IntegrityLayer || h.terms.Layer == sasl.ConfidentialityLayer
}

// Layer returns the negotiated layer; nil = none.
func (h *handshake) Layer() sasl.Layer {
	if h.layer == nil {
		return nil
	}
	return h.layer
}
