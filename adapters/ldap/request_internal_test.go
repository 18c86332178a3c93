package saslldap

import (
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// bindOf returns a bind request with an authentication, or without one.
func bindOf(authentication *ber.Packet) []byte {
	request := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 0, nil, "")
	request.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 3, ""))
	request.AppendChild(octets("cn=alice"))
	if authentication != nil {
		request.AppendChild(authentication)
	}
	return encodeMessage(1, request)
}

func choice(class ber.Class, tag ber.Tag) *ber.Packet {
	return ber.NewString(class, ber.TypePrimitive, tag, "pencil", "")
}

// TestAuthenticationChoice: the kind of a bind is read from its authentication, and an
// invalid request has no kind.
func TestAuthenticationChoice(t *testing.T) {
	for name, row := range map[string]struct {
		request  []byte
		isSASL   bool
		password string
		simple   bool
	}{
		"SASL":            {encodeBind(1, "X", []byte("pencil")), true, "", false},
		"simple":          {bindOf(choice(ber.ClassContext, 0)), false, "pencil", true},
		"a later kind":    {bindOf(choice(ber.ClassContext, 9)), false, "", false},
		"another class 0": {bindOf(choice(ber.ClassPrivate, 0)), false, "", false},
		"another class 3": {bindOf(choice(ber.ClassPrivate, 3)), false, "", false},
		"none":            {bindOf(nil), false, "", false},
		"no operation":    {[]byte("\x30\x03\x02\x01\x01"), false, "", false},
		"no LDAP":         {[]byte("hello"), false, "", false},
	} {
		password, simple := simplePassword(row.request)
		if got := isSASL(row.request); got != row.isSASL || simple != row.simple || string(password) != row.password {
			t.Errorf("%s: SASL %t, simple %t with %q", name, got, simple, password)
		}
	}
}

// TestInvalidControls: a control that is not in its form makes no search persistent.
func TestInvalidControls(t *testing.T) {
	for name, value := range map[string]string{"empty": "", "no sequence": "x", "a sequence of nothing": "\x30\x00", "no number": "\x30\x03\x04\x013"} {
		control := ber.NewSequence("")
		control.AppendChild(octets(syncRequest))
		control.AppendChild(octets(value))
		controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		controls.AppendChild(ber.NewSequence("")) // a control of nothing
		controls.AppendChild(control)
		message := ber.NewSequence("")
		message.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, ""))
		message.AppendChild(ber.Encode(ber.ClassApplication, ber.TypeConstructed, 3, nil, ""))
		message.AppendChild(controls)
		if isPersistent(message.Bytes()) {
			t.Errorf("%s: persistent", name)
		}
	}
}
