package sasl

import (
	"encoding/base64"
	"errors"
	"strings"
)

var errBase64 = errors.New("is not base64")

// DecodeBase64 decodes a message in the form of the profiles of SASL and of the
// attributes of SCRAM. DecodeBase64 accepts only the alphabet and the padding of
// RFC 4648 s4, and no line ends. The error is short and does not repeat the text.
func DecodeBase64(text string) ([]byte, error) {
	return appendDecoded([]byte{}, text)
}

var strictBase64 = base64.StdEncoding.Strict()

// appendDecoded appends the decoded message to b, by the rules of DecodeBase64.
func appendDecoded(b []byte, text string) ([]byte, error) {
	// The decoder of encoding/base64 ignores line ends.
	decoded, err := strictBase64.AppendDecode(b, []byte(text))
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, errBase64
	}
	return decoded, nil
}
