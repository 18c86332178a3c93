package sasl

// Secret holds a password, a token or a key. Formatting one, or a value that
// contains one, with any verb, as JSON or through log/slog, does not show its
// bytes. The zero value is an empty secret.
type Secret struct {
	// A func, because fmt shows the fields of a value that it reaches through an
	// unexported field, whatever String does, and under %s even what a pointer
	// in them points to.
	reveal func() []byte
}

// NewSecret makes a Secret of a copy of s.
func NewSecret[T ~string | ~[]byte](s T) Secret {
	return hide([]byte(string(s)))
}

// hide makes a Secret of b itself.
func hide(b []byte) Secret { return Secret{func() []byte { return b }} }

// Bytes returns the secret itself, not a copy. The caller must not change it.
func (s Secret) Bytes() []byte {
	if s.reveal == nil {
		return nil
	}
	return s.reveal()
}

// String shows nothing of the secret.
func (Secret) String() string { return "sasl.Secret(…)" }

// GoString shows nothing of the secret.
func (Secret) GoString() string { return "sasl.Secret(…)" }
