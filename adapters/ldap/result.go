package saslldap

import (
	"errors"
	"fmt"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
)

// result is an LDAPResult (RFC 4511 s4.1.9), with the fields of a BindResponse and
// of an ExtendedResponse.
type result struct {
	code        uint16
	matchedDN   string
	text        string   // diagnosticMessage
	referrals   []string // URLs
	credentials []byte   // serverSaslCreds; nil if absent
	name        string   // responseName of an ExtendedResponse; "" if absent
	withheld    bool     // the words repeated a secret, and are gone
}

// decodeResult returns the result in a message with this operation.
func decodeResult(f frame, op byte) (result, error) {
	if f.op != op {
		return result{}, fmt.Errorf("%w: the server sent an answer of another kind", sasl.ErrProtocol)
	}
	packet, err := decodeOwn(f)
	if err != nil || len(packet.Children) < 2 || len(packet.Children[1].Children) < 3 {
		return result{}, errFrame
	}
	fields := packet.Children[1].Children
	code, isNumber := fields[0].Value.(int64)
	dn, isDN := fields[1].Value.(string)
	text, isText := fields[2].Value.(string)
	if !isNumber || !isDN || !isText || code != int64(uint16(code)) {
		return result{}, errFrame
	}
	r := result{code: uint16(code), matchedDN: dn, text: strings.TrimRight(text, "\x00")} // Active Directory's text ends so
	for _, field := range fields[3:] {
		switch {
		case field.ClassType != ber.ClassContext:
		case field.Tag == 3:
			for _, url := range field.Children {
				r.referrals = append(r.referrals, url.Data.String())
			}
		case op == bindResponse && field.Tag == 7:
			if field.TagType != ber.TypePrimitive || r.credentials != nil {
				return result{}, errFrame
			}
			r.credentials = append([]byte{}, field.Data.Bytes()...)
		case op == extendedResponse && field.Tag == 10:
			r.name = field.Data.String()
		}
	}
	return r, nil
}

// decodeOwn decodes a message within the bounds for our own requests.
func decodeOwn(f frame) (*ber.Packet, error) {
	s, whole := measure(f.bytes)
	if !whole || s.elements > maxOwnElements || s.deepest > maxOwnDepth {
		return nil, errFrame
	}
	return ber.DecodePacketErr(f.bytes)
}

// said returns everything that the server said for people, each part once.
func (r result) said() string {
	parts := []string{}
	if r.text != "" {
		parts = append(parts, r.text)
	}
	if r.matchedDN != "" {
		parts = append(parts, "(matched: "+r.matchedDN+")")
	}
	for _, url := range r.referrals {
		if !strings.Contains(strings.Join(parts, " "), url) {
			parts = append(parts, url)
		}
	}
	return strings.Join(parts, " ")
}

// words returns the result code and what the server said.
func (r result) words() string {
	words := fmt.Sprintf("result code %d", r.code)
	if said := r.said(); said != "" {
		words += ": " + said
	}
	return words
}

// library returns the library's error for the result; nil with success, and for
// words that are withheld. Its text has everything that is in its fields, so an
// examination of the text covers all of it. The error has no Packet, which is not
// examined.
func (r result) library() error {
	if r.code == ldap.LDAPResultSuccess || r.withheld {
		return nil
	}
	return &ldap.Error{ResultCode: r.code, MatchedDN: r.matchedDN, Err: errors.New(r.said())}
}
