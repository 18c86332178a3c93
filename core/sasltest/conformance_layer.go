package sasltest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// LayeredWire is a Wire of a protocol whose adapter carries security layers (RFC
// 4422 s3.7), over a connection that is not Secure.
type LayeredWire interface {
	Wire
	// InstallLayer is called before Succeed: from the octet behind that
	// announcement of success on, both directions go through the layer.
	InstallLayer(layer sasl.Layer)
}

// testLayer tests that the adapter tells the mechanism which layer to negotiate: no
// layer, or the confidential layer of a connection without TLS. A mechanism that
// negotiates another layer does not log in.
func (a Adapter) testLayer(t *testing.T) {
	demanded, other := sasl.NoLayer, sasl.ConfidentialityLayer
	if _, carries := a.Wire(nil).(LayeredWire); carries {
		demanded, other = sasl.ConfidentialityLayer, sasl.NoLayer
	}
	a.playLayer(t, "", demanded)
	a.playLayer(t, demanded, demanded)
	a.playLayer(t, other, demanded)
}

// playLayer runs a login in which the mechanism negotiates a layer; "" = as demanded.
func (a Adapter) playLayer(t *testing.T, negotiated, demanded sasl.LayerStrength) {
	t.Helper()
	installed := sasl.NoLayer
	client := &sasl.Client{
		Mechanisms: []sasl.Mechanism{Layered{Strength: negotiated}},
		Allow:      func(sasl.Candidate) error { return nil },
		Trace: func(e sasl.Event) {
			if e.Kind == sasl.EventLayer {
				installed = sasl.LayerStrength(e.Text)
			}
		},
	}
	obeys := negotiated == "" || negotiated == demanded
	err := a.run(t, t.Context(), client, func(s *server) error {
		if err := s.wire.Greet(mechanismName, true); err != nil {
			return err
		}
		_, initial, err := s.wire.ReadInitiate()
		if err != nil {
			return err
		}
		layer, proof, err := ServerLayer(initial)
		if err != nil {
			return err
		}
		if message := string(initial); negotiated == "" && !strings.HasPrefix(message, string(demanded)) {
			return fmt.Errorf("the run does not demand %q: %q", demanded, message)
		}
		if err := s.wire.Challenge(proof); err != nil {
			return err
		}
		if !obeys {
			return s.closedByClient()
		}
		if _, aborted, err := s.wire.ReadResponse(); err != nil || aborted {
			return errors.Join(err, fmt.Errorf("aborted %t", aborted))
		}
		if layer != nil {
			s.wire.(LayeredWire).InstallLayer(layer)
		}
		return s.wire.Succeed(nil)
	})
	switch {
	case obeys && (err != nil || installed != demanded):
		t.Errorf("the mechanism negotiates %q, the login demands %q: %v, with the layer %q", negotiated, demanded, err, installed)
	case !obeys && !errors.Is(err, sasl.ErrSecurity):
		t.Errorf("the mechanism negotiates %q, the login demands %q: %v", negotiated, demanded, err)
	}
}
