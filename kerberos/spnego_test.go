package saslkerberos

import (
	"context"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/kerberos/internal/der"
)

// TestInitialToken compares a negTokenInit with octets encoded by hand by RFC 4178
// s4.2.1.
func TestInitialToken(t *testing.T) {
	const want = "6024" + "06062b0601050502" + "a01a3018" + "a00d300b06092a864886f712010202" + "a2070405746f6b656e"
	if got := hex.EncodeToString(initialToken([]byte("token"))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// response encodes a negTokenResp. A negative state, "" and nil are absent.
func response(state int, mechanism string, token, mic []byte) []byte {
	var fields []byte
	if state >= 0 {
		fields = der.Append(fields, 0xa0, []byte{0x0a, 1, byte(state)})
	}
	if mechanism != "" {
		fields = der.Append(fields, 0xa1, der.Append(nil, 6, []byte(mechanism)))
	}
	if token != nil {
		fields = der.Append(fields, 0xa2, der.Append(nil, 4, token))
	}
	if mic != nil {
		fields = der.Append(fields, 0xa3, der.Append(nil, 4, mic))
	}
	return der.Append(nil, 0xa1, der.Append(nil, 0x30, fields))
}

// negotiation is a run with a server that has read the client's first message.
type negotiation struct {
	exchange sasl.Exchange
	server   *toy
	proof    []byte
}

func negotiate(t *testing.T) *negotiation {
	t.Helper()
	n := &negotiation{SPNEGO(initiate("alice", toyKey), nil).New(secure), &toy{key: sasl.NewSecret(toyKey)}, nil}
	first, done, err := n.exchange.Step(t.Context(), nil)
	if err != nil || done {
		t.Fatal(done, err)
	}
	// The token is the last element.
	const head = 2 + 8 + 4 + 15 + 4
	if n.proof, err = n.server.accept(first[head:]); err != nil {
		t.Fatal(err)
	}
	return n
}

const kerberos = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"

func TestSPNEGO(t *testing.T) {
	for name, row := range map[string]struct {
		answer func(n *negotiation) []byte
		want   error // nil = the negotiation is complete
	}{
		"completed":            {func(n *negotiation) []byte { return response(0, kerberos, n.proof, nil) }, nil},
		"no mechanism":         {func(n *negotiation) []byte { return response(0, "", n.proof, nil) }, nil},
		"completed, with MIC":  {func(n *negotiation) []byte { return response(0, kerberos, n.proof, n.mic(mechanismList)) }, nil},
		"another MIC":          {func(n *negotiation) []byte { return response(0, kerberos, n.proof, n.mic([]byte("x"))) }, sasl.ErrSecurity},
		"another mechanism":    {func(n *negotiation) []byte { return response(0, "\x2b\x06", n.proof, nil) }, sasl.ErrSecurity},
		"no proof":             {func(n *negotiation) []byte { return response(0, kerberos, nil, nil) }, sasl.ErrSecurity},
		"another proof":        {func(n *negotiation) []byte { return response(0, kerberos, []byte("proof"), nil) }, sasl.ErrSecurity},
		"an unknown state":     {func(n *negotiation) []byte { return response(9, kerberos, n.proof, nil) }, sasl.ErrProtocol},
		"rejected":             {func(n *negotiation) []byte { return response(2, kerberos, n.proof, nil) }, errRejected},
		"a tail":               {func(n *negotiation) []byte { return append(response(0, kerberos, n.proof, nil), 0) }, sasl.ErrProtocol},
		"a negTokenInit":       {func(n *negotiation) []byte { return initialToken(n.proof) }, sasl.ErrProtocol},
		"empty":                {func(*negotiation) []byte { return []byte{} }, sasl.ErrProtocol},
		"a state of 2 octets":  {func(*negotiation) []byte { return []byte("\xa1\x08\x30\x06\xa0\x04\x0a\x02\x00\x00") }, sasl.ErrProtocol},
		"fields in wrong turn": {func(*negotiation) []byte { return []byte("\xa1\x0b\x30\x09\xa2\x02\x04\x00\xa0\x03\x0a\x01\x00") }, sasl.ErrProtocol},
	} {
		n := negotiate(t)
		out, done, err := n.exchange.Step(t.Context(), row.answer(n))
		if !errors.Is(err, row.want) || done != (row.want == nil) || len(out) > 0 {
			t.Errorf("%s: %x, %v, %v", name, out, done, err)
		}
		if _, _, again := n.exchange.Step(t.Context(), response(0, "", n.proof, nil)); again == nil {
			t.Errorf("%s: a further challenge is accepted", name)
		}
	}
}

func (n *negotiation) mic(message []byte) []byte {
	mic, _ := n.server.MIC(message)
	return mic
}

// unproved is a context that takes a token and still waits for the acceptor's proof.
type unproved struct{ toy }

func (*unproved) Step([]byte) ([]byte, bool, error) { return []byte("token"), false, nil }

// TestSPNEGOUnproved: the server cannot end a negotiation in which it has proved nothing.
func TestSPNEGOUnproved(t *testing.T) {
	for _, state := range []int{acceptCompleted, acceptIncomplete, requestMIC} {
		x := SPNEGO(func(context.Context, Request) (SecurityContext, error) { return &unproved{}, nil }, nil).New(secure)
		if _, _, err := x.Step(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if out, done, err := x.Step(t.Context(), response(state, kerberos, []byte("token"), nil)); out != nil || done || !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("state %d: %q, %v, %v", state, out, done, err)
		}
	}
}

// TestSPNEGORequestsMIC: the server wants the integrity check of the list.
func TestSPNEGORequestsMIC(t *testing.T) {
	for _, state := range []int{-1, acceptIncomplete, requestMIC} {
		n := negotiate(t)
		out, done, err := n.exchange.Step(t.Context(), response(state, kerberos, n.proof, nil))
		if err != nil || done {
			t.Fatal(done, err)
		}
		answer, ok := parseNegTokenResp(out)
		if !ok || answer.state != acceptCompleted || n.server.VerifyMIC([]byte("\x30\x0b\x06\x09"+kerberos), answer.mic) != nil {
			t.Errorf("the client's answer is %x", out)
		}
		out, done, err = n.exchange.Step(t.Context(), response(0, "", nil, n.mic([]byte("\x30\x0b\x06\x09"+kerberos))))
		if out == nil || len(out) > 0 || !done || err != nil {
			t.Errorf("%x, %v, %v", out, done, err)
		}
	}
	n := negotiate(t)
	if _, _, err := n.exchange.Step(t.Context(), response(1, kerberos, n.proof, nil)); err != nil {
		t.Fatal(err)
	}
	if _, done, err := n.exchange.Step(t.Context(), response(0, "", n.proof, nil)); done || !errors.Is(err, sasl.ErrProtocol) {
		t.Errorf("a second proof: %v, %v", done, err)
	}
}

func TestSPNEGOAuthzid(t *testing.T) {
	_, _, err := SPNEGO(initiate("alice", toyKey), &Options{Authzid: "u:bob"}).New(secure).Step(t.Context(), nil)
	if !errors.Is(err, sasl.ErrConfig) {
		t.Error(err)
	}
}

// FuzzSPNEGO: the fields of an answer are found again in their canonical encoding.
func FuzzSPNEGO(f *testing.F) {
	f.Add(response(0, kerberos, []byte("token"), []byte("mic")))
	f.Add([]byte("\xa1\x81\x05\x30\x03\xa2\x01\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		answer, ok := parseNegTokenResp(b)
		if !ok || len(answer.mechanism) == 0 {
			return
		}
		again, ok := parseNegTokenResp(response(answer.state, string(answer.mechanism), answer.token, answer.mic))
		if !ok || !reflect.DeepEqual(again, answer) {
			t.Errorf("%x: %+v, %+v", b, answer, again)
		}
	})
}

// TestSPNEGOOffer: a server may continue with the offer of RFC 4752, once.
func TestSPNEGOOffer(t *testing.T) {
	n := negotiate(t)
	if _, _, err := n.exchange.Step(t.Context(), response(0, kerberos, n.proof, nil)); err != nil {
		t.Fatal(err)
	}
	offer, _ := n.server.Wrap([]byte("\x07\x01\x00\x00"), false)
	out, done, err := n.exchange.Step(t.Context(), offer)
	if err != nil || !done {
		t.Fatal(done, err)
	}
	if answer, _, err := n.server.Unwrap(out); string(answer) != "\x01\x00\x00\x00" || err != nil {
		t.Errorf("%q, %v", answer, err)
	}
	offer, _ = n.server.Wrap([]byte("\x07\x01\x00\x00"), false)
	if _, done, err := n.exchange.Step(t.Context(), offer); done || !errors.Is(err, sasl.ErrProtocol) {
		t.Errorf("a second offer: %v, %v", done, err)
	}
}
