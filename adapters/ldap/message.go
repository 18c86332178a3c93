package saslldap

import (
	"errors"
	"fmt"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
)

// encodeBind is a BindRequest with SASL credentials (RFC 4511 s4.2). Absent
// credentials, nil, are not the same as empty ones.
func encodeBind(id int64, mechanism string, credentials []byte) []byte {
	choice := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "sasl")
	choice.AppendChild(octets(mechanism))
	if credentials != nil {
		choice.AppendChild(octets(string(credentials)))
	}
	request := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationBindRequest, nil, "BindRequest")
	request.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 3, "version"))
	request.AppendChild(octets("")) // the name, which is the mechanism's matter
	request.AppendChild(choice)
	return encodeMessage(id, request)
}

// encodeStartTLS is the request of RFC 4511 s4.14.1.
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

// result is an LDAPResult (RFC 4511 s4.1.9), with what a BindResponse adds.
type result struct {
	code        uint16
	text        string // diagnosticMessage
	credentials []byte // serverSaslCreds; nil if absent
	name        string // responseName of an ExtendedResponse; "" if absent
	library     error  // the library's error for it; nil with success
}

// decodeResult reads the result of a message with this operation.
func decodeResult(f frame, op byte) (result, error) {
	if f.op != op {
		return result{}, fmt.Errorf("%w: the server sent another kind of answer", sasl.ErrProtocol)
	}
	if !isWhole(f.bytes) {
		return result{}, errFrame
	}
	packet, err := ber.DecodePacketErr(f.bytes)
	if err != nil || len(packet.Children) < 2 || len(packet.Children[1].Children) < 3 {
		return result{}, errFrame
	}
	fields := packet.Children[1].Children
	code, isNumber := fields[0].Value.(int64)
	_, isDN := fields[1].Value.(string)
	text, isText := fields[2].Value.(string)
	if !isNumber || !isDN || !isText || code != int64(uint16(code)) {
		return result{}, errFrame
	}
	r := result{code: uint16(code), text: text, library: ldap.GetLDAPError(packet)}
	var own *ldap.Error
	if code != 0 && (!errors.As(r.library, &own) || own.ResultCode != r.code) {
		return result{}, errFrame
	}
	for _, field := range fields[3:] {
		switch {
		case field.ClassType != ber.ClassContext:
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

// disconnection is the error of a notice of disconnection (RFC 4511 s4.4.1), and
// nil for another notification, which does not concern us: that of an aborted
// transaction (RFC 5805), for example.
func disconnection(f frame) error {
	r, err := decodeResult(f, extendedResponse)
	switch {
	case err != nil:
		return err
	case r.name != "" && r.name != disconnectionNotice:
		return nil
	}
	class := sasl.ErrConnection
	switch r.code {
	case ldap.LDAPResultProtocolError:
		class = sasl.ErrProtocol
	case ldap.LDAPResultStrongAuthRequired:
		class = sasl.ErrPolicy
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable:
		class = sasl.ErrTemporary
	}
	return &told{class, "the server ends the connection", r}
}

// told is an error of what the server said where there is no exchange that it
// could refuse. The library's error is there for errors.As.
type told struct {
	class  sasl.Class
	what   string
	result result
}

func (e *told) Error() string {
	s := fmt.Sprintf("%v: %s, with result code %d", e.class, e.what, e.result.code)
	if e.result.text != "" {
		s += ": " + sasl.Printable(e.result.text)
	}
	return s
}

func (e *told) Unwrap() []error {
	if e.result.library == nil {
		return []error{e.class}
	}
	return []error{e.class, e.result.library}
}
