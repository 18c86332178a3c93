package sasltest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// testDeclares tests that the declared properties are consistent, and that the
// messages match the properties.
func (k *MechanismKit) testDeclares(t *testing.T) {
	name, p := k.Mechanism.Name(), k.properties()
	switch {
	case p.SingleMessage && p.ProvesServer:
		t.Error("SingleMessage and ProvesServer: in a single message the server proves nothing")
	case p.Anonymous && p.UsesPassword:
		t.Error("Anonymous and UsesPassword: a client without an identity has no password")
	case p.SafeWithoutTLS && !(p.ProvesServer && p.Layers):
		t.Error("SafeWithoutTLS without ProvesServer and Layers: the mechanism must authenticate the server by itself and negotiate a layer")
	case strings.HasSuffix(name, "-PLUS") && p.Binds != sasl.BindsByName:
		t.Error("the name ends in -PLUS, but the mechanism does not declare BindsByName")
	case k.Wrong != nil && k.Wrong.Name() != name:
		t.Errorf("Wrong is %s, not %s", k.Wrong.Name(), name)
	}
	d := k.connect()
	if _, err := k.login(t.Context(), k.client(k.Mechanism), d); err != nil {
		t.Fatal(err)
	}
	if p.SingleMessage && len(d.sent) != 1 {
		t.Errorf("SingleMessage, and %d messages", len(d.sent))
	}
	for i, message := range d.sent {
		if p.KeepsSecret && k.shows(string(message)) {
			t.Errorf("KeepsSecret, and message %d has the secret", i)
		}
	}
	if first := d.sent[0]; p.SendsGS2Flag && !bytes.HasPrefix(first, []byte("n,")) && !bytes.HasPrefix(first, []byte("p=")) {
		t.Errorf("SendsGS2Flag, and the first message is %q", first)
	}
}

// testLogsIn tests that both sides report the same outcome, with and without
// success data.
func (k *MechanismKit) testLogsIn(t *testing.T) {
	for _, successData := range []bool{false, true} {
		server := *k.Server
		server.SuccessData = successData
		other := *k
		other.Server = &server
		d := other.connect()
		result, err := other.login(t.Context(), other.client(k.Mechanism), d)
		if err != nil {
			t.Fatalf("success data %t: %v; the server: %v", successData, err, d.reason)
		}
		if result.Mechanism != k.Mechanism.Name() || d.result.Mechanism != result.Mechanism || d.result.Binding != result.Binding {
			t.Errorf("success data %t: the client says %+v, the server %+v", successData, result, d.result)
		}
		if d.result.Username != k.Username || d.result.Authzid != k.Authzid {
			t.Errorf("success data %t: the server found %q acting as %q, not %q acting as %q", successData, d.result.Username, d.result.Authzid, k.Username, k.Authzid)
		}
		if k.properties().Anonymous && result.Username != "" {
			t.Errorf("Anonymous, and the client is %q", result.Username)
		}
	}
}

// testConcurrent tests that a mechanism is immutable and safe for concurrent use.
func (k *MechanismKit) testConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	client := k.client(k.Mechanism)
	for range 8 {
		wg.Go(func() {
			for range 4 {
				d := k.connect()
				if _, err := k.login(t.Context(), client, d); err != nil {
					t.Errorf("%v; the server: %v", err, d.reason)
				}
			}
		})
	}
	wg.Wait()
}

// testWrong tests that wrong credentials do not lead to success on either side.
func (k *MechanismKit) testWrong(t *testing.T) {
	if k.Wrong == nil {
		t.Log("the kit has no wrong credentials")
		return
	}
	d := k.connect()
	_, err := k.login(t.Context(), k.client(k.Wrong), d)
	if err == nil || d.result.Mechanism != "" {
		t.Fatalf("the client: %v, the server found %+v", err, d.result)
	}
	if class := sasl.ClassOf(d.reason); class != sasl.ErrAuthentication && class != sasl.ErrAuthorization {
		t.Errorf("the server's reason is of class %s: %v", class, d.reason)
	}
	if d.closed.Load() {
		t.Errorf("a refusal of the credentials closed the connection: %v", err)
	}
}

// testContext tests that a step returns if the context has ended, and that the
// operation then returns an ErrConnection.
func (k *MechanismKit) testContext(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	k.Mechanism.New(k.terms()).Step(ended, nil)
	for number := 0; ; number++ {
		ctx, cancel := context.WithCancel(t.Context())
		d := k.connect()
		reached := false
		d.toServer = func(n int, message []byte) []byte {
			if n == number {
				reached = true
				cancel()
			}
			return message
		}
		_, err := k.login(ctx, k.client(k.Mechanism), d)
		cancel()
		if !reached {
			return
		}
		if !errors.Is(err, sasl.ErrConnection) || !errors.Is(err, context.Canceled) {
			t.Errorf("the context ended at message %d: %v", number, err)
		}
	}
}

// terms returns the parameters of a run with the kit's server.
func (k *MechanismKit) terms() sasl.Terms {
	terms := sasl.Terms{Server: k.info(), GS2Flag: 'n', Layer: sasl.NoLayer}
	binds := k.properties().Binds
	byName := binds == sasl.BindsByName && strings.HasSuffix(k.Mechanism.Name(), "-PLUS")
	if len(k.Conn.Bindings) > 0 && (byName || binds == sasl.BindsAlways) {
		terms.Binding, terms.GS2Flag = k.Conn.Bindings[0], 'p'
	}
	return terms
}
