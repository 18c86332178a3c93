package sasltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// layerText is the plain text of the kit's buffers. Its length is odd, so no rotation
// of a buffer by a power of two is the buffer itself.
var layerText = []byte("the plain text of the kit has 41 octets.\n")

// testLayers tests the security layers of a mechanism that declares Layers. The
// server's exchange needs the method Layer too.
func (k *MechanismKit) testLayers(t *testing.T) {
	p := k.properties()
	if !p.Layers {
		t.Log("the mechanism has no security layer")
		return
	}
	if _, _, err := k.layers(t.Context(), sasl.NoLayer); err != nil && sasl.ClassOf(err) == "" {
		t.Errorf("without a layer: an error without a class: %v", err)
	}
	for _, demanded := range []sasl.LayerStrength{sasl.IntegrityLayer, sasl.ConfidentialityLayer} {
		t.Run(string(demanded), func(t *testing.T) {
			client, server, err := k.layers(t.Context(), demanded)
			if err != nil {
				t.Fatal(err)
			}
			if client.Strength() != server.Strength() {
				t.Fatalf("the client's layer has %s, the server's layer %s", client.Strength(), server.Strength())
			}
			carry(t, "to the server", client, server)
			carry(t, "to the client", server, client)
			k.testLayerAttacks(t, demanded)
		})
	}
	if p.SafeWithoutTLS {
		k.testSafeWithoutTLS(t)
	}
}

// layers runs a login and returns the layers of both sides.
func (k *MechanismKit) layers(ctx context.Context, demanded sasl.LayerStrength) (client, server sasl.Layer, err error) {
	info := k.info()
	info.CarriesLayer, info.Layer = true, demanded
	d := &layeredDirect{directConn: k.connect()}
	d.server.Mechanisms = slices.Clone(d.server.Mechanisms)
	for i, m := range d.server.Mechanisms {
		d.server.Mechanisms[i] = capturing{m, &d.exchange}
	}
	if _, err := k.client(k.Mechanism).Authenticate(ctx, d, info); err != nil {
		return nil, nil, err
	}
	if x, ok := d.exchange.(interface{ Layer() sasl.Layer }); ok {
		server = x.Layer()
	}
	if (d.layer == nil) != (server == nil) {
		return nil, nil, fmt.Errorf("only one side has a layer; client %t, server %t", d.layer != nil, server != nil)
	}
	return d.layer, server, nil
}

// layeredDirect is a directConn that carries layers.
type layeredDirect struct {
	*directConn
	exchange sasl.Exchange // the server's
	layer    sasl.Layer    // the client's
}

func (d *layeredDirect) InstallLayer(layer sasl.Layer) { d.layer = layer }

// capturing is a server's mechanism whose exchange the kit can reach.
type capturing struct {
	sasl.ServerMechanism
	exchange *sasl.Exchange
}

func (c capturing) New(terms sasl.ServerTerms) sasl.Exchange {
	*c.exchange = c.ServerMechanism.New(terms)
	return *c.exchange
}

func (c capturing) Properties() (p sasl.Properties) {
	if m, ok := c.ServerMechanism.(interface{ Properties() sasl.Properties }); ok {
		p = m.Properties()
	}
	return p
}

// carry tests that buffers of several sizes arrive, within the maximum of the peer,
// and that a confidential layer hides them.
func carry(t *testing.T, direction string, from, to sasl.Layer) {
	t.Helper()
	long := bytes.Repeat(layerText, from.MaxPlain()/len(layerText)+1)
	for _, size := range []int{1, len(layerText), from.MaxPlain(), 2, from.MaxPlain()} {
		plain := long[:min(size, from.MaxPlain(), 1<<20)]
		protected, err := from.Wrap(bytes.Clone(plain))
		if err != nil {
			t.Fatalf("%s: %d octets: %v", direction, len(plain), err)
		}
		if len(protected) > to.MaxProtected() {
			t.Errorf("%s: a buffer of %d octets, and the peer allows %d", direction, len(protected), to.MaxProtected())
		}
		if n := min(len(plain), 16); from.Strength() == sasl.ConfidentialityLayer && n > 2 && bytes.Contains(protected, plain[:n]) {
			t.Errorf("%s: the confidential layer shows the plain text", direction)
		}
		if got, err := to.Unwrap(protected); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%s: %d octets arrive as %d octets: %v", direction, len(plain), len(got), err)
		}
	}
}

// testLayerAttacks tests that the client's layer refuses every buffer that is not the
// next buffer of the server.
func (k *MechanismKit) testLayerAttacks(t *testing.T, demanded sasl.LayerStrength) {
	type attack func(client, server sasl.Layer, buffer []byte) []byte
	attacks := map[string]attack{
		"an empty buffer": func(_, _ sasl.Layer, _ []byte) []byte { return nil },
		"plain text":      func(_, _ sasl.Layer, _ []byte) []byte { return layerText },
		"a cut":           func(_, _ sasl.Layer, b []byte) []byte { return b[:len(b)-1] },
		"half":            func(_, _ sasl.Layer, b []byte) []byte { return b[:len(b)/2] },
		"a longer buffer": func(_, _ sasl.Layer, b []byte) []byte { return append(b, 0) },
		"a missing buffer": func(_, server sasl.Layer, _ []byte) []byte {
			b, _ := server.Wrap(bytes.Clone(layerText))
			return b
		},
		"a repeated buffer": func(client, _ sasl.Layer, b []byte) []byte {
			client.Unwrap(bytes.Clone(b))
			return b
		},
		"its own buffer": func(client, _ sasl.Layer, _ []byte) []byte {
			b, _ := client.Wrap(bytes.Clone(layerText))
			return b
		},
	}
	flips := 0
	if _, server, err := k.layers(t.Context(), demanded); err == nil {
		b, _ := server.Wrap(bytes.Clone(layerText))
		flips = len(b)
	}
	for at := range flips {
		attacks[fmt.Sprintf("a bit of octet %d", at)] = func(_, _ sasl.Layer, b []byte) []byte {
			b[min(at, len(b)-1)] ^= 1 << (at % 8)
			return b
		}
	}
	for name, change := range attacks {
		client, server, err := k.layers(t.Context(), demanded)
		if err != nil {
			t.Fatal(err)
		}
		buffer, err := server.Wrap(bytes.Clone(layerText))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := client.Unwrap(change(client, server, bytes.Clone(buffer)))
		if err == nil {
			t.Errorf("%s: the layer accepts it: %q", name, plain)
		} else if k.shows(err.Error()) {
			t.Errorf("%s: the error shows a secret", name)
		}
	}
}

// testSafeWithoutTLS tests that the policy allows the mechanism on a connection
// without TLS, with a confidential layer, and only if the connection carries it.
func (k *MechanismKit) testSafeWithoutTLS(t *testing.T) {
	info := k.info()
	info.Secure, info.TLSVersion, info.Bindings, info.CarriesLayer = false, 0, nil, true
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{k.Mechanism}}
	d := &layeredDirect{directConn: k.connect()}
	d.conn.Bindings = nil
	if !strings.HasSuffix(k.Mechanism.Name(), "-PLUS") {
		result, err := client.Authenticate(t.Context(), d, info)
		if err != nil || result.Layer != sasl.ConfidentialityLayer {
			t.Errorf("without TLS: %v, the layer has %q", err, result.Layer)
		}
	}
	info.CarriesLayer = false
	plain := k.connect()
	if _, err := client.Authenticate(t.Context(), plain, info); !errors.Is(err, sasl.ErrPolicy) || len(plain.sent) > 0 {
		t.Errorf("without TLS and without a layer: %v, after %d messages", err, len(plain.sent))
	}
}
