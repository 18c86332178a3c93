package sasltest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// layeredServer is the server's side of Layered, whose layer may have a fault.
type layeredServer struct{ fault string }

func (layeredServer) Name() string                { return mechanismName }
func (layeredServer) Properties() sasl.Properties { return Layered{}.Properties() }
func (m layeredServer) New(sasl.ServerTerms) sasl.Exchange {
	return &layeredServerExchange{fault: m.fault}
}
func (*layeredServerExchange) Identity() sasl.Identity { return sasl.Identity{Username: "user"} }
func (x *layeredServerExchange) Layer() sasl.Layer     { return x.layer }

type layeredServerExchange struct {
	fault string
	layer sasl.Layer
	err   error
}

func (x *layeredServerExchange) Step(_ context.Context, in []byte) (proof []byte, done bool, err error) {
	if x.err == nil {
		if x.layer, proof, x.err = ServerLayer(in); x.err == nil {
			x.err = fmt.Errorf("%w: a second message", sasl.ErrProtocol)
			return proof, true, nil
		}
	}
	return nil, false, x.err
}

// faultyLayered is Layered, whose layer has a fault.
type faultyLayered struct {
	Layered
	fault string
}

func (m faultyLayered) New(t sasl.Terms) sasl.Exchange {
	return &faultyLayeredExchange{m.Layered.New(t).(*layeredExchange), m.fault}
}

type faultyLayeredExchange struct {
	*layeredExchange
	fault string
}

func (x *faultyLayeredExchange) Layer() sasl.Layer {
	if x.layer == nil {
		return nil
	}
	return &faultyLayer{x.layer.(*layer), x.fault}
}

type faultyLayer struct {
	*layer
	fault string
}

func (l *faultyLayer) MaxPlain() int {
	if l.fault == "too long" {
		return l.layer.MaxPlain() + 1
	}
	return l.layer.MaxPlain()
}

func (l *faultyLayer) Wrap(plain []byte) ([]byte, error) {
	switch {
	case l.fault == "too long":
		l.most++
		defer func() { l.most-- }()
	case l.fault == "readable":
		l.strength = sasl.IntegrityLayer
		defer func() { l.strength = sasl.ConfidentialityLayer }()
	}
	return l.layer.Wrap(plain)
}

func (l *faultyLayer) Unwrap(protected []byte) ([]byte, error) {
	switch l.fault {
	case "believes":
		plain, err := l.layer.Unwrap(protected)
		if err != nil {
			return protected, nil
		}
		return plain, nil
	case "no order":
		for count := range l.in.count + 3 {
			l.in.count = count
			if plain, err := l.layer.Unwrap(protected); err == nil {
				return plain, nil
			}
		}
	}
	return l.layer.Unwrap(protected)
}

const layerVariable = "SASLTEST_LAYER"

// TestLayered runs the kit over Layered, with the fault that the environment names.
func TestLayered(t *testing.T) {
	fault := os.Getenv(layerVariable)
	TestMechanism(t, MechanismKit{
		Mechanism: faultyLayered{fault: fault},
		Server:    &sasl.Server{Mechanisms: []sasl.ServerMechanism{layeredServer{fault}}},
		Conn:      sasl.ConnInfo{Secure: true}, Username: "user",
	})
}

// TestLayerFaults shows that the kit fails a layer with each fault.
func TestLayerFaults(t *testing.T) {
	for fault, want := range map[string]string{
		"too long": "and the peer allows 4096",
		"readable": "octets arrive as",
		"believes": "a bit of octet 0: the layer accepts it",
		"no order": "a repeated buffer: the layer accepts it",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLayered$/^layers$")
			command.Env = append(os.Environ(), layerVariable+"="+fault)
			output, err := command.CombinedOutput()
			if err == nil || !strings.Contains(string(output), want) {
				t.Errorf("%v, and no %q in\n%s", err, want, output)
			}
		})
	}
}
