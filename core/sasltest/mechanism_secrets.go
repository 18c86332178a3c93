package sasltest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// testSecrets tests that no formatted value of a run and no trace shows a secret.
func (k *MechanismKit) testSecrets(t *testing.T) {
	client := k.client(k.Mechanism)
	var trace strings.Builder
	client.Trace = func(e sasl.Event) { fmt.Fprintf(&trace, "%v %+v %#v\n", e, e, e) }
	session, err := client.Begin(t.Context(), k.info())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := session.Start(); err != nil {
		t.Fatal(err)
	}
	x := k.Mechanism.New(k.terms())
	x.Step(t.Context(), nil)
	if _, err := k.login(t.Context(), client, k.connect()); err != nil {
		t.Fatal(err)
	}
	if k.shows(trace.String()) {
		t.Errorf("the trace shows a secret:\n%s", trace.String())
	}
	for name, value := range map[string]any{"Mechanism": k.Mechanism, "Exchange": x, "Session": session, "Client": client} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X"} {
			text := fmt.Sprintf(verb, value)
			if k.shows(text) {
				t.Errorf("%s of the %s shows a secret", verb, name)
			}
			for _, secret := range k.Secrets {
				if strings.Contains(text, strings.Trim(fmt.Sprint([]byte(secret)), "[]")) {
					t.Errorf("%s of the %s shows the octets of a secret", verb, name)
				}
			}
		}
		if text, err := json.Marshal(value); err == nil && k.shows(string(text)) {
			t.Errorf("JSON of the %s shows a secret", name)
		}
	}
}

// testEchoes tests that no error and no trace contains a secret that the server
// repeats after any message. A mechanism with the property KeepsSecret has sent no
// secret. But if the mechanism does not declare its secrets, the client withholds
// its messages as well.
func (k *MechanismKit) testEchoes(t *testing.T) {
	honest := k.connect()
	if _, err := k.login(t.Context(), k.client(k.Mechanism), honest); err != nil {
		t.Fatal(err)
	}
	for number := range honest.sent {
		for name, echo := range map[string]func(text string) (sasl.Reply, error){
			"in the text": func(text string) (sasl.Reply, error) {
				return sasl.Reply{}, &sasl.Failure{Condition: sasl.NotAuthorized, Text: "no: " + text}
			},
			"in the protocol's error": func(text string) (sasl.Reply, error) {
				return sasl.Reply{}, &sasl.Failure{Condition: sasl.NotAuthorized, Err: errors.New("no: " + text)}
			},
			"in a goodbye": func(text string) (sasl.Reply, error) {
				return sasl.Reply{}, fmt.Errorf("%w: goodbye: %s", sasl.ErrConnection, text)
			},
			"in a challenge": func(text string) (sasl.Reply, error) { return sasl.Reply{Data: []byte(text)}, nil },
		} {
			k.testEcho(t, number, name, echo)
		}
	}
}

func (k *MechanismKit) testEcho(t *testing.T, number int, name string, echo func(string) (sasl.Reply, error)) {
	client := k.client(k.Mechanism)
	var trace strings.Builder
	client.Trace = func(e sasl.Event) { fmt.Fprintln(&trace, e) }
	encode := base64.StdEncoding.EncodeToString
	for _, secret := range k.Secrets {
		d := k.connect()
		var message string
		d.toServer = func(n int, m []byte) []byte {
			if n == number {
				message = string(m)
			}
			return m
		}
		d.answer = func(n int) (sasl.Reply, error, bool) {
			if n != number || !strings.Contains(message, secret) {
				return sasl.Reply{}, nil, false
			}
			reply, err := echo(secret + " " + encode([]byte(secret)) + " " + encode([]byte(message)))
			return reply, err, true
		}
		_, err := k.login(t.Context(), client, d)
		if !strings.Contains(message, secret) {
			continue // this message does not contain the secret, so the server cannot repeat it
		}
		said := trace.String()
		if err != nil {
			said += fmt.Sprintf("%v %+v", err, err)
			var f *sasl.Failure
			if errors.As(err, &f) {
				said += fmt.Sprintf("%+v %v", *f, f.Err)
			}
		}
		for _, spelling := range []string{secret, encode([]byte(secret)), encode([]byte(message))} {
			if strings.Contains(said, spelling) {
				t.Errorf("message %d, %s: the secret is shown: %s", number, name, said)
			}
		}
	}
}
