package krb5

import (
	"bytes"
	"errors"
	"testing"

	"github.com/jcmturner/gokrb5/v8/gssapi"
	sasl "github.com/saslkit/saslkit/core"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
)

// foreignMIC makes a MIC token with the library's own code.
func (a *acceptor) foreignMIC(t testing.TB, flags byte, sequence uint64, message string) []byte {
	t.Helper()
	m := gssapi.MICToken{Flags: flags, SndSeqNum: sequence, Payload: []byte(message)}
	if err := m.SetChecksum(a.subkey, usageAcceptorSign); err != nil {
		t.Fatal(err)
	}
	token, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestVerifyMIC takes the library's MIC tokens, and refuses changed, repeated and
// reordered ones.
func TestVerifyMIC(t *testing.T) {
	c, a := established(t)
	for sequence := range uint64(2) {
		if err := c.VerifyMIC([]byte("list"), a.foreignMIC(t, 5, 7+sequence, "list")); err != nil {
			t.Error(err)
		}
	}
	good := a.foreignMIC(t, 5, 9, "list")
	bad := map[string][]byte{
		"repeated":        a.foreignMIC(t, 5, 8, "list"),
		"one is missing":  a.foreignMIC(t, 5, 10, "list"),
		"of an initiator": a.foreignMIC(t, 4, 9, "list"),
		"another subkey":  a.foreignMIC(t, 1, 9, "list"),
		"another message": a.foreignMIC(t, 5, 9, "lists"),
		"a tail":          append(bytes.Clone(good), 0),
		"empty":           nil,
	}
	for i := range good {
		changed := bytes.Clone(good)
		changed[i] ^= 0x10
		bad["changed octet "+string(rune('a'+i))] = changed
		bad["cut at octet "+string(rune('a'+i))] = good[:i]
	}
	for name, token := range bad {
		if err := c.VerifyMIC([]byte("list"), token); !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.VerifyMIC([]byte("list"), good); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// TestMIC: the library takes our MIC tokens, whose numbers continue.
func TestMIC(t *testing.T) {
	c, a := established(t)
	for i := range uint64(2) {
		token, err := c.MIC([]byte("list"))
		if err != nil {
			t.Fatal(err)
		}
		var m gssapi.MICToken
		if err := m.Unmarshal(token, false); err != nil {
			t.Fatal(err)
		}
		m.Payload = []byte("list")
		if ok, err := m.Verify(a.subkey, usageInitiatorSign); !ok || m.Flags != 4 || m.SndSeqNum != uint64(a.request.SeqNumber)+i {
			t.Errorf("%x, %v", token, err)
		}
	}
}

// TestEarly: a context that is not established protects nothing and verifies nothing.
func TestEarly(t *testing.T) {
	c, _ := start(t, saslkerberos.Request{Integrity: true, Confidentiality: true})
	_, wrap := c.Wrap([]byte("a request"), true)
	_, _, unwrap := c.Unwrap(make([]byte, 100))
	_, mic := c.MIC(nil)
	for _, err := range []error{wrap, unwrap, mic, c.VerifyMIC(nil, make([]byte, 28))} {
		if !errors.Is(err, errEarly) {
			t.Error(err)
		}
	}
	if limit := c.WrapLimit(1000, true); limit != 0 {
		t.Errorf("a limit of %d", limit)
	}
}

// FuzzUnwrap: a token is refused unless it is the next one, also if it is rotated, and
// a refused token changes nothing.
func FuzzUnwrap(f *testing.F) {
	c, a := established(f)
	good := a.seal(f, 7, 7, 0, 28, "answer")
	f.Add(good)
	f.Add(a.seal(f, 7, 7, 13, 0, "answer"))
	f.Add(a.foreign(f, 5, 7, "answer"))
	f.Add([]byte("\x05\x04\x07\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x07"))
	f.Fuzz(func(t *testing.T, token []byte) {
		again := *c
		message, _, err := again.Unwrap(token)
		if err == nil && string(message) == "answer" {
			return
		}
		if !errors.Is(err, sasl.ErrSecurity) || message != nil {
			t.Errorf("%x: %q, %v", token, message, err)
		}
		if message, sealed, err := again.Unwrap(good); string(message) != "answer" || !sealed || err != nil {
			t.Errorf("after %x: %q, %v, %v", token, message, sealed, err)
		}
	})
}
