package saslxmpp

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
)

// decodeMessage decodes the text of an element. RFC 6120 s6.4.2 writes a
// message that is empty as "=".
func decodeMessage(text string) ([]byte, error) {
	if text == "=" {
		return []byte{}, nil
	}
	message, err := sasl.DecodeBase64(text)
	if err != nil {
		return nil, fmt.Errorf("%w: the peer's message %w", sasl.ErrProtocol, err)
	}
	return message, nil
}

// tag writes an element with a text. The name and the text are XML already.
func tag(name, text string) string {
	if text == "" {
		return "<" + name + "/>"
	}
	end := name
	if i := bytes.IndexByte([]byte(name), ' '); i >= 0 {
		end = name[:i]
	}
	return "<" + name + ">" + text + "</" + end + ">"
}

func encode(message []byte) string { return base64.StdEncoding.EncodeToString(message) }

func escape(text string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(text)) // a Buffer takes everything
	return b.String()
}
