package main

import (
	"encoding/binary"
	"fmt"
)

// ldapMessages are the messages of LDAP by their names (RFC 4511 s4.2): the content
// may have a password.
type ldapMessages struct{}

var ldapOperations = map[byte]string{
	0x60: "BindRequest", 0x61: "BindResponse", 0x42: "UnbindRequest", 0x63: "SearchRequest", 0x64: "SearchResultEntry",
	0x65: "SearchResultDone", 0x73: "SearchResultReference", 0x50: "AbandonRequest", 0x77: "ExtendedRequest",
	0x78: "ExtendedResponse", 0x79: "IntermediateResponse",
}

func (ldapMessages) next(_ bool, octets []byte) (length int, text string, ok bool) {
	content, length, ok := ber(octets, 0x30)
	if !ok {
		return 0, "", false
	}
	id, used, _ := ber(content, 0x02)
	operation := content[used:]
	if len(operation) == 0 {
		return length, "an invalid message", true
	}
	var number [8]byte
	copy(number[max(0, 8-len(id)):], id)
	name := ldapOperations[operation[0]]
	if name == "" {
		name = fmt.Sprintf("operation %#02x", operation[0])
	}
	text = fmt.Sprintf("%s, message ID %d, %d octets", name, binary.BigEndian.Uint64(number[:]), length)
	if result, _, ok := ber(operation, operation[0]); ok {
		if code, _, ok := ber(result, 0x0a); ok && len(code) == 1 {
			text += fmt.Sprintf(", result code %d", code[0])
		}
	}
	return length, text, true
}

// ber reads an element with the tag. ok is false if the element is not complete or
// has another tag.
func ber(octets []byte, tag byte) (content []byte, length int, ok bool) {
	if len(octets) < 2 || octets[0] != tag {
		return nil, 0, false
	}
	size, header := int(octets[1]), 2
	if size >= 0x80 {
		count := size & 0x7f
		if count > 4 || len(octets) < 2+count {
			return nil, 0, false
		}
		size, header = 0, 2+count
		for _, b := range octets[2:header] {
			size = size<<8 | int(b)
		}
	}
	if size < 0 || len(octets)-header < size { // four octets may not fit into an int of 32 bits
		return nil, 0, false
	}
	return octets[header : header+size], header + size, true
}

func (ldapMessages) capabilities(bool, string) string { return "" }
