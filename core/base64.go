package sasl

import (
	"encoding/base64"
	"errors"
	"strings"
)

var errBase64 = errors.New("is not base64")

// DecodeBase64 decodes a message as the profiles of SASL and the attributes of
// SCRAM have it: the alphabet and padding of RFC 4648 s4 and nothing else, no
// line ends either. The error is short and does not repeat the text.
func DecodeBase64(text string) ([]byte, error) {
	// The package's decoder would pass over line ends.
	decoded, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, errBase64
	}
	return decoded, nil
}
