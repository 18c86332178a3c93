// Package der reads and writes the elements of DER (X.690) that the tokens of GSS-API
// need.
package der

// Append appends an element with this tag and content.
func Append(b []byte, tag byte, content []byte) []byte {
	b = append(b, tag)
	switch n := len(content); {
	case n < 0x80:
		b = append(b, byte(n))
	case n < 0x100:
		b = append(b, 0x81, byte(n))
	case n < 0x10000:
		b = append(b, 0x82, byte(n>>8), byte(n))
	default:
		b = append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, content...)
}

// Read returns the content of the first element of b, which must have this tag, and
// what follows the element. It reports false for another tag or an invalid length.
func Read(b []byte, tag byte) (content, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, b, false
	}
	size, content := int(b[1]), b[2:]
	if octets := size - 0x80; octets >= 0 {
		if octets < 1 || octets > 3 || octets > len(content) {
			return nil, b, false
		}
		size = 0
		for _, octet := range content[:octets] {
			size = size<<8 | int(octet)
		}
		content = content[octets:]
	}
	if size > len(content) {
		return nil, b, false
	}
	return content[:size:size], content[size:], true
}
