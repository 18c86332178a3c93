package sasltest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// changes returns the changes that an attacker may make to a message, by name.
func changes(message []byte) map[string][]byte {
	flipped := slices.Clone(message)
	if len(flipped) > 0 {
		flipped[len(flipped)/2] ^= 1
	}
	return map[string][]byte{
		"empty":        {},
		"cut in half":  message[:len(message)/2],
		"one octet":    {'A'},
		"a bit":        flipped,
		"with a tail":  append(slices.Clone(message), 'x'),
		"twice":        append(slices.Clone(message), message...),
		"zeros":        make([]byte, 64),
		"not UTF-8":    bytes.Repeat([]byte{0xff, 0xfe}, 64),
		"commas":       bytes.Repeat([]byte{','}, 512),
		"64 KiB":       bytes.Repeat([]byte{'A'}, 64<<10),
		"over 64 KiB":  bytes.Repeat([]byte{'A'}, 64<<10+1),
		"a JSON bomb":  []byte(strings.Repeat(`{"a":[`, 4096)),
		"a base64 run": bytes.Repeat([]byte("QUJD"), 64),
	}
}

// testEarlySuccess tests that a client believes in success only after the server has
// proved everything that the mechanism declares.
func (k *MechanismKit) testEarlySuccess(t *testing.T) {
	if !k.properties().ProvesServer {
		t.Log("the server proves nothing: the client believes in success after its messages are sent")
		return
	}
	honest := k.connect()
	if _, err := k.login(t.Context(), k.client(k.Mechanism), honest); err != nil {
		t.Fatal(err)
	}
	proof := len(honest.sent) // number of the server's answers up to the proof
	if honest.answers[proof-1] == nil {
		proof-- // the last message answers the proof
	}
	for number := range proof {
		for _, data := range [][]byte{nil, {}} {
			d := k.connect()
			d.answer = func(n int) (sasl.Reply, error, bool) {
				return sasl.Reply{Data: data, Done: true}, nil, n == number
			}
			_, err := k.login(t.Context(), k.client(k.Mechanism), d)
			if !errors.Is(err, sasl.ErrSecurity) || !d.closed.Load() {
				t.Errorf("success in answer to message %d, with data %q: %v, closed %t", number, data, err, d.closed.Load())
			}
		}
	}
}

// testChangedToClient changes a message of the server. The test shows that the
// client does not believe in success if the mechanism proves the server, that there
// is no panic, and that every error has a class.
func (k *MechanismKit) testChangedToClient(t *testing.T) {
	honest := k.connect()
	if _, err := k.login(t.Context(), k.client(k.Mechanism), honest); err != nil {
		t.Fatal(err)
	}
	for number, message := range honest.answers {
		if message == nil {
			continue
		}
		for name, changed := range changes(message) {
			d := k.connect()
			var said []byte
			d.toClient = func(n int, message []byte) []byte {
				if n != number {
					return message
				}
				said = message
				return changed
			}
			_, err := k.login(t.Context(), k.client(k.Mechanism), d)
			if err == nil && k.properties().ProvesServer && !bytes.Equal(said, changed) {
				t.Errorf("message %d, %s: the client believes in success", number, name)
			}
			if err != nil && sasl.ClassOf(err) == "" {
				t.Errorf("message %d, %s: an error without a class: %v", number, name, err)
			}
			if err != nil && k.shows(err.Error()) {
				t.Errorf("message %d, %s: the error shows a secret", number, name)
			}
		}
	}
}

// testChangedToServer changes a message of the client. The test shows that there is
// no panic, that the reason of a refusal has a class, and that a mechanism that
// keeps its secret and proves the server does not succeed.
func (k *MechanismKit) testChangedToServer(t *testing.T) {
	p := k.properties()
	honest := k.connect()
	if _, err := k.login(t.Context(), k.client(k.Mechanism), honest); err != nil {
		t.Fatal(err)
	}
	for number, message := range honest.sent {
		for name, changed := range changes(message) {
			d := k.connect()
			same := false
			d.toServer = func(n int, message []byte) []byte {
				if n != number {
					return message
				}
				same = bytes.Equal(message, changed)
				return changed
			}
			_, err := k.login(t.Context(), k.client(k.Mechanism), d)
			if d.result.Mechanism != "" && p.KeepsSecret && p.ProvesServer && !same {
				t.Errorf("message %d, %s: the server let the client in: %+v, %v", number, name, d.result, err)
			}
			if d.reason != nil && sasl.ClassOf(d.reason) == "" {
				t.Errorf("message %d, %s: a reason without a class: %v", number, name, d.reason)
			}
			if d.reason != nil && k.shows(d.reason.Error()) {
				t.Errorf("message %d, %s: the reason shows a secret", number, name)
			}
		}
	}
}

// testAnotherChannel tests that a mechanism that binds by name fails if the two
// sides have different channels.
func (k *MechanismKit) testAnotherChannel(t *testing.T) {
	if !strings.HasSuffix(k.Mechanism.Name(), "-PLUS") || k.properties().Binds != sasl.BindsByName {
		t.Log("the mechanism does not bind by name")
		return
	}
	d := k.connect()
	d.conn.Bindings = slices.Clone(d.conn.Bindings)
	for i, b := range d.conn.Bindings {
		d.conn.Bindings[i].Data = append([]byte("another channel"), b.Data...)
	}
	if _, err := k.login(t.Context(), k.client(k.Mechanism), d); err == nil || d.result.Mechanism != "" {
		t.Errorf("the client: %v, the server found %+v", err, d.result)
	}
}

// testErrorsStay tests that every further step fails after an error and after the
// end.
func (k *MechanismKit) testErrorsStay(t *testing.T) {
	honest := k.connect()
	if _, err := k.login(t.Context(), k.client(k.Mechanism), honest); err != nil {
		t.Fatal(err)
	}
	x := k.Mechanism.New(k.terms())
	x.Step(t.Context(), nil)
	var first error
	for range 20 { // more than any exchange has
		_, done, err := x.Step(t.Context(), []byte("an invalid message of the server"))
		switch {
		case first != nil && (err == nil || err.Error() != first.Error()):
			t.Fatalf("the error was %v, and later %v", first, err)
		case err != nil && done:
			t.Fatalf("done with an error: %v", err)
		case err != nil && k.shows(err.Error()):
			t.Fatal("the error shows a secret")
		}
		first = err
	}
	if first == nil {
		t.Error("the client accepts any number of messages")
	}
	if _, _, err := honest.session.Respond(t.Context(), []byte("more")); err == nil {
		t.Error("the server accepts a message after the end")
	}
}
