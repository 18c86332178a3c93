package sasl

// Secret holds a password, a token or a key. A Secret, or a value that contains a
// Secret, does not show the secret's bytes when the value is formatted with any
// verb, as JSON or through log/slog. The zero value is an empty secret.
type Secret struct {
	// A func, because fmt shows the fields of a value that fmt reaches through an
	// unexported field, regardless of String. Under %s, fmt even shows the target
	// of a pointer in such a field.
	reveal func() []byte
}

// NewSecret makes a Secret from a copy of s.
func NewSecret[T ~string | ~[]byte](s T) Secret {
	return hide([]byte(string(s)))
}

// hide makes a Secret from b itself.
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

// RepeatedIn reports whether a text repeats most of the secret, as it is or in
// base64. An adapter that knows a secret asks it before a person sees a text of a
// peer that has the secret.
func (s Secret) RepeatedIn(text string) bool { return repeatsSecret(text, s.Bytes()) }
