package transport

import (
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestDeferral: the initial response goes out once, in answer to an empty
// challenge alone (RFC 4954 s4).
func TestDeferral(t *testing.T) {
	for _, row := range []struct {
		name    string
		initial string
		reply   sasl.Reply
		err     error
		sent    string // "-" = nothing
		class   sasl.Class
	}{
		{"asked for", "hello", sasl.Reply{Data: []byte{}}, nil, "hello", ""},
		{"asked for an empty one", "", sasl.Reply{Data: []byte{}}, nil, "", ""},
		{"a challenge", "hello", sasl.Reply{Data: []byte("x")}, nil, "-", sasl.ErrProtocol},
		{"success", "hello", sasl.Reply{Done: true}, nil, "-", sasl.ErrSecurity},
		{"a refusal", "hello", sasl.Reply{}, &sasl.Failure{Class: sasl.ErrPolicy}, "-", sasl.ErrPolicy},
	} {
		sent := "-"
		waiting := Defer([]byte(row.initial))
		reply, err := waiting.Answer(row.reply, row.err, func(initial []byte) (sasl.Reply, error) {
			sent = string(initial)
			return sasl.Reply{Done: true}, nil
		})
		if sent != row.sent || sasl.ClassOf(err) != row.class || reply.Done != (row.class == "") {
			t.Errorf("%s: sent %q, %+v, %v", row.name, sent, reply, err)
		}
		if waiting.Waits() != (row.sent == "-") {
			t.Errorf("%s: waits %t", row.name, waiting.Waits())
		}
		if err := waiting.Success(); waiting.Waits() != (sasl.ClassOf(err) == sasl.ErrSecurity) {
			t.Errorf("%s: success afterwards: %v", row.name, err)
		}
	}
	if none := (Deferral{}); none.Waits() || none.Success() != nil {
		t.Error("the zero value waits")
	}
}
