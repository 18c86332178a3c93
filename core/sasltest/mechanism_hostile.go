package sasltest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// changes returns what somebody may make of a message, by a name each.
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

// testEarlySuccess: success is believed only once the server has proved all that
// the mechanism declares.
func (k *MechanismKit) testEarlySuccess(t *testing.T) {
	if !k.properties().ProvesServer {
		t.Log("the server proves nothing: success is believed when the messages are out")
		return
	}
	honest := k.connect()
	if _, err := k.login(t.Context(), k.client(k.Mechanism), honest); err != nil {
		t.Fatal(err)
	}
	proof := len(honest.sent) // answers of the server until the proof is out
	if !k.Server.SuccessData {
		proof-- // the last message is the empty answer to the proof
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

// testChangedToClient: a changed message of the server leads to no success if the
// server has to prove something, never to a panic, and to an error with a class.
func (k *MechanismKit) testChangedToClient(t *testing.T) {
	honest := k.connect()
	if _, err := k.login(t.Context(), k.client(k.Mechanism), honest); err != nil {
		t.Fatal(err)
	}
	for number, message := range honest.told {
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

// testChangedToServer: a changed message of the client leads to no panic, to a
// reason with a class, and in a mechanism that keeps its secret to no success.
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

// testAnotherChannel: a mechanism that binds by name fails between two channels.
func (k *MechanismKit) testAnotherChannel(t *testing.T) {
	if !strings.HasSuffix(k.Mechanism.Name(), "-PLUS") || k.properties().Binds != sasl.BindsByName {
		t.Log("the name does not say that the mechanism binds")
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

// testErrorsStay: after an error, and after the end, every further step fails.
func (k *MechanismKit) testErrorsStay(t *testing.T) {
	honest := k.connect()
	if _, err := k.login(t.Context(), k.client(k.Mechanism), honest); err != nil {
		t.Fatal(err)
	}
	x := k.Mechanism.New(k.terms())
	x.Step(t.Context(), nil)
	var first error
	for range 20 { // more than any exchange has
		_, done, err := x.Step(t.Context(), []byte("this is no message of the server"))
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
		t.Error("a client that takes any number of messages")
	}
	if _, _, err := honest.session.Respond(t.Context(), []byte("more")); err == nil {
		t.Error("the server takes a message after the end")
	}
}
