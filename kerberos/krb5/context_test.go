package krb5

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	sasl "github.com/saslkit/saslkit/core"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
)

// TestChecksum compares the authenticator's checksum with octets computed by hand: the
// hash is that of an empty binding (zeros), or that of RFC 2744's structure.
func TestChecksum(t *testing.T) {
	for binding, want := range map[string]string{
		"":  "10000000" + strings.Repeat("00", 16) + "3e000000",
		"x": "10000000" + "cd8658b0ad30387e68f5819a5c92d9f8" + "3e000000",
	} {
		request := saslkerberos.Request{Integrity: true, Confidentiality: true}
		if binding != "" {
			request.ChannelBinding = []byte(binding)
		}
		c, a := start(t, request)
		token, established, err := c.Step(nil)
		if err != nil || established {
			t.Fatal(established, err)
		}
		a.read(t, token)
		if got := hex.EncodeToString(a.request.Cksum.Checksum); a.request.Cksum.CksumType != 0x8003 || got != want {
			t.Errorf("%q: the checksum is %s, want %s", binding, got, want)
		}
		if a.request.SubKey.KeyType != 18 || len(a.request.SubKey.KeyValue) != 32 || a.options.Bytes[0] != 0x20 {
			t.Errorf("the subkey is of type %d, the options are %x", a.request.SubKey.KeyType, a.options.Bytes)
		}
		if got := a.request.CName.PrincipalNameString() + "@" + a.request.CRealm; got != "alice@KERBEROS.TEST" {
			t.Errorf("the client is %s", got)
		}
	}
}

// TestAcceptorProves: the acceptor's proof has to be for this login and from the
// owner of the key.
func TestAcceptorProves(t *testing.T) {
	other := types.EncryptionKey{KeyType: 18, KeyValue: []byte("another key of thirty-two octets")}
	for name, row := range map[string]struct {
		key    types.EncryptionKey
		change func(*messages.EncAPRepPart)
		want   error // nil = the context is established
	}{
		"right":          {key: sessionKey.library()},
		"no subkey":      {key: sessionKey.library(), change: func(p *messages.EncAPRepPart) { p.Subkey = types.EncryptionKey{} }},
		"another key":    {key: other, want: sasl.ErrSecurity},
		"another second": {sessionKey.library(), func(p *messages.EncAPRepPart) { p.CTime = p.CTime.Add(1e9) }, sasl.ErrSecurity},
		"another time":   {sessionKey.library(), func(p *messages.EncAPRepPart) { p.Cusec ^= 1 }, sasl.ErrSecurity},
		"an RC4 subkey":  {sessionKey.library(), func(p *messages.EncAPRepPart) { p.Subkey.KeyType = 23 }, sasl.ErrPolicy},
		"a short subkey": {sessionKey.library(), func(p *messages.EncAPRepPart) { p.Subkey.KeyValue = []byte("short") }, sasl.ErrPolicy},
	} {
		c, a := start(t, saslkerberos.Request{Integrity: true})
		token, _, err := c.Step(nil)
		if err != nil {
			t.Fatal(err)
		}
		a.read(t, token)
		out, established, err := c.Step(a.answer(t, row.key, row.change))
		if !errors.Is(err, row.want) || established != (row.want == nil) || out != nil {
			t.Errorf("%s: %x, %v, %v", name, out, established, err)
		}
	}
}

// TestMalformedTokens: every beginning of an answer, and answers of another type.
func TestMalformedTokens(t *testing.T) {
	c, a := start(t, saslkerberos.Request{Integrity: true})
	token, _, _ := c.Step(nil)
	a.read(t, token)
	answer := a.answer(t, a.session, nil)
	for n := range answer {
		again := *c
		if _, established, err := again.Step(answer[:n]); established || !errors.Is(err, sasl.ErrProtocol) {
			t.Errorf("%d octets: %v, %v", n, established, err)
		}
	}
	for want, answer := range map[string][]byte{
		"the server's token is malformed":           append(answer[:len(answer):len(answer)], 0),
		"unexpected type 0100":                      token,
		"the server has no key that fits":           refused(t, 41),
		"the clocks differ too much":                refused(t, 37),
		"the server's Kerberos error is malformed":  frame(0x0300, []byte("0")),
		"malformed (a list that claims 2^32 items)": nil,
	} {
		again := *c
		_, established, err := again.Step(answer)
		if want, _, _ = strings.Cut(want, " ("); established || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	if _, _, err := c.Step(answer); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Step(answer); !errors.Is(err, sasl.ErrProtocol) {
		t.Errorf("a second answer: %v", err)
	}
}

func refused(t *testing.T, code int32) []byte {
	t.Helper()
	refusal := messages.NewKRBError(types.PrincipalName{NameString: []string{"a"}}, "R", code, "")
	encoded, err := refusal.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return frame(0x0300, encoded)
}

// established returns an established context. The server's numbers begin with 7.
func established(t testing.TB) (*securityContext, *acceptor) {
	t.Helper()
	c, a := start(t, saslkerberos.Request{Integrity: true, Confidentiality: true})
	token, _, err := c.Step(nil)
	if err != nil {
		t.Fatal(err)
	}
	a.read(t, token)
	if _, _, err := c.Step(a.answer(t, a.session, nil)); err != nil {
		t.Fatal(err)
	}
	return c, a
}

// foreign makes a Wrap token with the library's own code.
func (a *acceptor) foreign(t testing.TB, flags byte, sequence uint64, message string) []byte {
	t.Helper()
	w := gssapi.WrapToken{Flags: flags, EC: 12, SndSeqNum: sequence, Payload: []byte(message)}
	if err := w.SetCheckSum(a.subkey, usageAcceptorSeal); err != nil {
		t.Fatal(err)
	}
	token, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestUnwrap reads tokens that the library made, also rotated ones, and refuses
// changed, repeated and reordered ones.
func TestUnwrap(t *testing.T) {
	c, a := established(t)
	for i, rotation := range []byte{0, 12, 5, 255} {
		token := a.foreign(t, 5, uint64(7+i), "offer")
		body := rotate(token[headerSize:], len(token[headerSize:])-int(rotation)%len(token[headerSize:]))
		rotated := append(append([]byte(nil), token[:headerSize]...), body...)
		rotated[7] = rotation
		message, sealed, err := c.Unwrap(rotated)
		if string(message) != "offer" || sealed || err != nil {
			t.Errorf("rotated by %d: %q, %v, %v", rotation, message, sealed, err)
		}
	}
	good := a.foreign(t, 5, 11, "offer")
	bad := map[string][]byte{
		"repeated":         a.foreign(t, 5, 10, "offer"),
		"one is missing":   a.foreign(t, 5, 12, "offer"),
		"of an initiator":  a.foreign(t, 4, 11, "offer"),
		"another subkey":   a.foreign(t, 1, 11, "offer"),
		"an unknown flag":  a.foreign(t, 13, 11, "offer"),
		"sealed, it says":  a.foreign(t, 7, 11, "offer"),
		"no header":        good[:headerSize-1],
		"no body":          good[:headerSize],
		"truncated":        good[:len(good)-1],
		"not a Wrap token": append([]byte{4, 4}, good[2:]...),
	}
	for i := range good {
		changed := append([]byte(nil), good...)
		changed[i] ^= 0x10
		if i == 6 || i == 7 {
			continue // the rotation is not protected
		}
		bad["changed octet "+string(rune('a'+i))] = changed
	}
	for name, token := range bad {
		if message, _, err := c.Unwrap(token); !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("%s: %q, %v", name, message, err)
		}
	}
	if message, _, err := c.Unwrap(good); string(message) != "offer" || err != nil {
		t.Errorf("after that: %q, %v", message, err)
	}
}
