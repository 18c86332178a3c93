package sasl

// Layer is a security layer that an exchange has negotiated (RFC 4422 s3.7): from
// the end of the exchange on, each side sends its octets in buffers of protected
// data. An adapter that carries layers puts four octets of length, in network byte
// order, before each buffer.
//
// The octets of a connection are one stream for a Layer: a protocol's message may
// need several buffers, and a buffer may contain several messages. One goroutine
// may call Wrap while another calls Unwrap, but neither method is called twice at
// the same time.
type Layer interface {
	// Strength returns IntegrityLayer or ConfidentialityLayer.
	Strength() LayerStrength
	// MaxPlain returns the largest number of octets that Wrap takes, at least 1: the
	// buffer is then within the maximum that the peer stated.
	MaxPlain() int
	// MaxProtected returns the largest number of octets in a buffer of the peer, at
	// least 1, without the octets of the length. A larger buffer ends the
	// connection.
	MaxProtected() int
	// Wrap returns the buffer that protects the octets of plain. Wrap keeps neither
	// slice. After an error the layer is not usable.
	Wrap(plain []byte) (protected []byte, err error)
	// Unwrap verifies the next buffer of the peer and returns its octets, which may
	// be none and may share the memory of protected. An error means that somebody
	// has changed, removed, repeated or reordered buffers, and ends the connection
	// with an ErrSecurity.
	Unwrap(protected []byte) (plain []byte, err error)
}

// LayerStrength is the strength of a security layer, as a caller wants it or as an
// exchange has negotiated it.
type LayerStrength string

const (
	// AutomaticLayer is ConfidentialityLayer if the connection has no TLS and is not
	// Secure, the adapter carries layers and the mechanism has them. Otherwise it is
	// NoLayer.
	AutomaticLayer LayerStrength = ""
	// NoLayer negotiates no layer.
	NoLayer LayerStrength = "none"
	// IntegrityLayer demands a layer that detects changes. A layer that also hides
	// the data is accepted too.
	IntegrityLayer LayerStrength = "integrity"
	// ConfidentialityLayer demands a layer that detects changes and hides the data.
	ConfidentialityLayer LayerStrength = "confidentiality"
)

// demanded reports whether a run must not succeed without a layer.
func (s LayerStrength) demanded() bool {
	return s == IntegrityLayer || s == ConfidentialityLayer
}
