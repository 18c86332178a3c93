package saslldap

import (
	"bytes"
	"slices"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// persistentControls are the controls of a search that does not end by itself:
// persistent search, change notification, and content synchronization (RFC 4533) if
// its value has the mode refreshAndPersist.
var persistentControls = []string{"2.16.840.1.113730.3.4.3", "1.2.840.113556.1.4.528", syncRequest}

const syncRequest = "1.3.6.1.4.1.4203.1.9.1.1"

// isPersistent reports whether a search request has one of these controls.
func isPersistent(b []byte) bool {
	if !slices.ContainsFunc(persistentControls, func(oid string) bool { return bytes.Contains(b, []byte(oid)) }) {
		return false
	}
	message, err := ber.DecodePacketErr(b)
	if err != nil || len(message.Children) < 3 {
		return false
	}
	for _, control := range message.Children[2].Children {
		if len(control.Children) == 0 {
			continue
		}
		oid, _ := control.Children[0].Value.(string)
		if oid == syncRequest {
			return persists(control.Children[len(control.Children)-1])
		}
		if slices.Contains(persistentControls, oid) {
			return true
		}
	}
	return false
}

// persists reports whether a syncRequestValue (RFC 4533 s2.2) has the mode
// refreshAndPersist.
func persists(value *ber.Packet) bool {
	const refreshAndPersist = 3
	content, err := ber.DecodePacketErr(value.ByteValue)
	if err != nil || len(content.Children) == 0 {
		return false
	}
	mode, _ := content.Children[0].Value.(int64)
	return mode == refreshAndPersist
}

// isSASL reports whether a bind request has SASL credentials (RFC 4511 s4.2).
func isSASL(b []byte) bool {
	choice := authentication(b)
	return choice != nil && choice.ClassType == ber.ClassContext && choice.Tag == 3
}

// simplePassword returns the password of a simple bind.
func simplePassword(b []byte) (password []byte, ok bool) {
	choice := authentication(b)
	if choice == nil || choice.ClassType != ber.ClassContext || choice.Tag != 0 {
		return nil, false
	}
	return choice.Data.Bytes(), true
}

// authentication returns the AuthenticationChoice of a bind request; nil = none.
func authentication(b []byte) *ber.Packet {
	message, err := ber.DecodePacketErr(b)
	if err != nil || len(message.Children) < 2 || len(message.Children[1].Children) < 3 {
		return nil
	}
	return message.Children[1].Children[2]
}
