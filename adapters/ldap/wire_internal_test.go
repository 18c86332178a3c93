package saslldap

import (
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestHeader: a header is read, needs more octets, or is invalid.
func TestHeader(t *testing.T) {
	for _, row := range []struct {
		name, bytes string
		want        header
		need        int
		err         bool
	}{
		{name: "short", bytes: "\x30\x05\x02\x01\x03\x50\x00", want: header{size: 6, total: 7, id: 3, op: 0x50}},
		{name: "long", bytes: "\x30\x84\x00\x01\x00\x00\x02\x04\x7f\xff\xff\xff\x64", want: header{size: 13, total: 65542, id: 1<<31 - 1, op: 0x64}},
		{name: "nothing", need: 2},
		{name: "a tag", bytes: "\x30", need: 2},
		{name: "half a length", bytes: "\x30\x82\x01", need: 4},
		{name: "no ID yet", bytes: "\x30\x05\x02", need: 4},
		{name: "half an ID", bytes: "\x30\x08\x02\x04\x40", need: 9},
		{name: "empty", bytes: "\x30\x00", err: true},
		{name: "no room for an operation", bytes: "\x30\x04\x02\x02\x01\x01", err: true},
		{name: "an ID that ends behind the message", bytes: "\x30\x05\x02\x04\x01\x01\x01", err: true},
		{name: "an ID of nothing", bytes: "\x30\x06\x02\x00\x50\x02\x00\x00", err: true},
		{name: "an ID of five octets", bytes: "\x30\x0a\x02\x05\x00\x00\x00\x00\x01\x50\x00", err: true},
		{name: "a negative ID", bytes: "\x30\x05\x02\x01\x80\x50\x00", err: true},
		{name: "an ID that is no number", bytes: "\x30\x05\x04\x01\x03\x50\x00", err: true},
		{name: "a set", bytes: "\x31\x05\x02\x01\x03\x50\x00", err: true},
		{name: "indefinite", bytes: "\x30\x80\x02\x01\x03\x50\x00\x00\x00", err: true},
		{name: "a length of five octets", bytes: "\x30\x85\x00\x00\x00\x00\x05\x02\x01\x03\x50\x00", err: true},
		{name: "the longest", bytes: "\x30\x84\x10\x00\x00\x00\x02\x01\x03\x64", want: header{size: 10, total: 6 + 1<<28, id: 3, op: 0x64}},
		{name: "longer", bytes: "\x30\x84\x10\x00\x00\x01", err: true},
	} {
		h, need, err := parseHeader([]byte(row.bytes))
		if (err != nil) != row.err || row.err && !errors.Is(err, sasl.ErrProtocol) || need != row.need || err == nil && need == 0 && h != row.want {
			t.Errorf("%s: %+v, %d, %v", row.name, h, need, err)
		}
	}
}

// TestLengths: a length has the form of X.690 s8.1.3 with the limits of RFC 4511
// s5.1, up to the largest message, also on machines whose int has 32 bits.
func TestLengths(t *testing.T) {
	for _, row := range []struct {
		b              string
		content, start int
		bad            bool
	}{
		{b: "\x04\x00", content: 0, start: 2},
		{b: "\x04\x7f", content: 127, start: 2},
		{b: "\x04\x81\x80", content: 128, start: 3},
		{b: "\x04\x84\x00\x00\x00\x05", content: 5, start: 6}, // more octets than necessary
		{b: "\x04\x82\x01", start: 4},                         // incomplete
		{b: "\x04\x84\x10\x00\x00\x00", content: 256 << 20, start: 6},
		{b: "\x04\x84\x10\x00\x00\x01", bad: true},
		{b: "\x04\x84\x80\x00\x00\x00", bad: true},
		{b: "\x04\x84\xff\xff\xff\xff", bad: true},
		{b: "\x04\x80", bad: true},
		{b: "\x04\x85\x00\x00\x00\x00\x05", bad: true},
	} {
		content, start, err := parseLength([]byte(row.b))
		if row.bad != errors.Is(err, sasl.ErrProtocol) || content != row.content || start != row.start {
			t.Errorf("%q: %d, %d, %v", row.b, content, start, err)
		}
	}
}

// TestResultFields: a field behind the three of every result is read by its class and
// its tag, in the operations that have it (RFC 4511 s4.1.9, s4.2.2, s4.12).
func TestResultFields(t *testing.T) {
	if err := (result{}).library(); err != nil { // success is no error
		t.Error(err)
	}
	for name, row := range map[string]struct {
		op          byte
		field       string
		credentials string
		referral    string
		extended    string
	}{
		"credentials":               {bindResponse, "\x87\x01x", "x", "", ""},
		"credentials elsewhere":     {extendedResponse, "\x87\x01x", "", "", ""},
		"of the universal class":    {bindResponse, "\x07\x01x", "", "", ""},
		"a referral":                {bindResponse, "\xa3\x03\x04\x01x", "", "x", ""},
		"of the universal class, 3": {bindResponse, "\x23\x03\x04\x01x", "", "", ""},
		"a name":                    {extendedResponse, "\x8a\x01x", "", "", "x"},
		"a name elsewhere":          {bindResponse, "\x8a\x01x", "", "", ""},
		"another":                   {bindResponse, "\x89\x01x", "", "", ""},
	} {
		content := "\x0a\x01\x00\x04\x00\x04\x00" + row.field
		message := "\x02\x01\x01" + string(row.op) + string(rune(len(content))) + content
		message = "\x30" + string(rune(len(message))) + message
		h, _, err := parseHeader([]byte(message))
		if err != nil {
			t.Fatal(err)
		}
		r, err := decodeResult(frame{header: h, bytes: []byte(message)}, row.op)
		if err != nil || string(r.credentials) != row.credentials || (r.credentials == nil) != (row.credentials == "") ||
			strings.Join(r.referrals, " ") != row.referral || r.name != row.extended {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}
