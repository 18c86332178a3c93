package saslldap

import (
	"bufio"
	"fmt"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
)

// maxMessage limits an LDAPMessage from the server, in octets.
const maxMessage = 256 << 20

// maxHeader is the largest size of a header: the tag and the length of the sequence,
// the message ID, and the tag of the operation.
const maxHeader = 6 + 6 + 1

// The protocolOps (RFC 4511 s4.2 to s4.14) by their tags.
const (
	bindRequest       = 0x60
	bindResponse      = 0x61
	unbindRequest     = 0x42
	searchRequest     = 0x63
	searchEntry       = 0x64
	searchDone        = 0x65
	searchReference   = 0x73
	extendedResponse  = 0x78
	intermediateReply = 0x79
)

// header is the start of an LDAPMessage (RFC 4511 s4.1.1), which routes it.
type header struct {
	size  int   // octets of the header, the tag of the operation included
	total int   // octets of the whole message
	id    int64 // message ID
	op    byte  // tag of the operation
}

// final reports whether a response is the last one to its request.
func (h header) final() bool {
	return h.op != searchEntry && h.op != searchReference && h.op != intermediateReply
}

var errFrame = fmt.Errorf("%w: the server sent an invalid LDAP message", sasl.ErrProtocol)

// parseHeader reads the header at the start of b. If b is too short, need is the
// least number of octets that it needs, else 0. Lengths are definite (RFC 4511
// s5.1).
func parseHeader(b []byte) (h header, need int, err error) {
	if len(b) < 2 {
		return h, 2, nil
	}
	content, start, err := parseLength(b)
	switch {
	case err != nil:
		return h, 0, err
	case start > len(b):
		return h, start, nil
	case content < len("\x02\x01\x00")+2:
		return h, 0, errFrame
	case len(b) < start+2:
		return h, start + 2, nil
	}
	idLen := int(b[start+1])
	if b[0] != 0x30 || b[start] != 0x02 || idLen < 1 || idLen > 4 || content < 2+idLen+2 {
		return h, 0, errFrame
	}
	h.size = start + 2 + idLen + 1
	if len(b) < h.size {
		return h, h.size, nil
	}
	if b[start+2]&0x80 != 0 { // negative
		return h, 0, errFrame
	}
	for _, octet := range b[start+2 : h.size-1] {
		h.id = h.id<<8 | int64(octet)
	}
	h.total, h.op = start+content, b[h.size-1]
	return h, 0, nil
}

// parseLength returns the length behind a tag, and the start of the content. A start
// past the end of b means that the length is not known yet. No element is longer
// than a message, and a longer one may not fit into an int.
func parseLength(b []byte) (content, start int, err error) {
	if b[1] < 0x80 {
		return int(b[1]), 2, nil
	}
	n := int(b[1] & 0x7f)
	if n < 1 || n > 4 {
		return 0, 0, errFrame
	}
	if len(b) < 2+n {
		return 0, 2 + n, nil
	}
	var length uint32
	for _, octet := range b[2 : 2+n] {
		length = length<<8 | uint32(octet)
	}
	if length > maxMessage {
		return 0, 0, fmt.Errorf("%w: the server sent a message of more than %d MiB", sasl.ErrProtocol, maxMessage>>20)
	}
	return int(length), 2 + n, nil
}

// peekHeader reads the header of the next message and leaves it in r.
func peekHeader(r *bufio.Reader) (header, error) {
	b, _ := r.Peek(min(r.Buffered(), maxHeader))
	for {
		h, need, err := parseHeader(b)
		if err != nil || need == 0 {
			return h, err
		}
		if b, err = r.Peek(need); err != nil {
			return h, err
		}
	}
}

// encodeBind returns a BindRequest with SASL credentials (RFC 4511 s4.2). Nil
// credentials are absent, which is not empty.
func encodeBind(id int64, mechanism string, credentials []byte) []byte {
	choice := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "sasl")
	choice.AppendChild(octets(mechanism))
	if credentials != nil {
		choice.AppendChild(octets(string(credentials)))
	}
	request := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationBindRequest, nil, "BindRequest")
	request.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 3, "version"))
	request.AppendChild(octets("")) // the name; the mechanism has its own
	request.AppendChild(choice)
	return encodeMessage(id, request)
}

// encodeStartTLS returns the request of RFC 4511 s4.14.1.
func encodeStartTLS(id int64) []byte {
	request := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationExtendedRequest, nil, "ExtendedRequest")
	request.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, startTLSOID, "requestName"))
	return encodeMessage(id, request)
}

func encodeMessage(id int64, operation *ber.Packet) []byte {
	message := ber.NewSequence("LDAPMessage")
	message.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, "messageID"))
	message.AppendChild(operation)
	return message.Bytes()
}

func octets(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

const (
	startTLSOID         = "1.3.6.1.4.1.1466.20037"
	disconnectionNotice = "1.3.6.1.4.1.1466.20036"
)
