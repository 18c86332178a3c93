package saslkerberos

import (
	"context"
	"errors"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestLayerChoice: the answer to an offer of RFC 4752 s3.1 is the layer that the run
// demands, with the maximum of the client's tokens, or the run ends.
func TestLayerChoice(t *testing.T) {
	const none, integrity, confidentiality = sasl.NoLayer, sasl.IntegrityLayer, sasl.ConfidentialityLayer
	for _, row := range []struct {
		demanded sasl.LayerStrength
		offer    string
		want     string             // the answer; "" = the run ends with an ErrPolicy
		strength sasl.LayerStrength // "" = no layer
		most     int                // octets of plain text
	}{
		{none, "\x07\x00\xff\xff", "\x01\x00\x00\x00", "", 0},
		{none, "\x06\x00\xff\xff", "", "", 0},
		{integrity, "\x07\x00\xff\xff", "\x02\x01\x00\x00", integrity, 65535 - 38},
		{integrity, "\x02\x00\x00\x64", "\x02\x01\x00\x00", integrity, 100 - 38},
		{integrity, "\x04\xff\xff\xff", "\x04\x01\x00\x00", confidentiality, 1<<24 - 1 - 38},
		{integrity, "\x01\x00\xff\xff", "", "", 0},
		{confidentiality, "\x07\x00\xff\xff", "\x04\x01\x00\x00", confidentiality, 65535 - 38},
		{confidentiality, "\x04\x00\x00\x27", "\x04\x01\x00\x00", confidentiality, 1},
		{confidentiality, "\x03\x00\xff\xff", "", "", 0},
	} {
		terms := secure
		terms.Layer = row.demanded
		x := GSSAPI(initiate("alice", toyKey), nil).New(terms).(*gssapi)
		out, done, server, err := runExchange(t, x, terms, row.offer)
		layer := x.Layer()
		if row.want == "" {
			if !errors.Is(err, sasl.ErrPolicy) || done || out != nil || layer != nil {
				t.Errorf("%+v: %q, %v, %v", row, out, layer, err)
			}
			continue
		}
		if got, _, err := server.Unwrap(out); err != nil || string(got) != row.want {
			t.Errorf("%+v: the answer is %q, %v", row, got, err)
		}
		if (layer != nil) != (row.strength != "") {
			t.Errorf("%+v: the layer is %v", row, layer)
		} else if layer != nil && (layer.Strength() != row.strength || layer.MaxPlain() != row.most || layer.MaxProtected() != 65536) {
			t.Errorf("%+v: the layer has %s, %d, %d", row, layer.Strength(), layer.MaxPlain(), layer.MaxProtected())
		}
	}
	terms := secure
	terms.Layer = confidentiality
	if _, done, _, err := run(t, GSSAPI(initiate("alice", toyKey), nil), terms, "\x04\x00\x00\x26"); done || !errors.Is(err, sasl.ErrProtocol) {
		t.Errorf("a maximum without room: %v", err)
	}
}

// TestConfidentialLayer: a token that is signed and not sealed does not pass.
func TestConfidentialLayer(t *testing.T) {
	for _, seal := range []bool{true, false} {
		client, server := &toy{key: sasl.NewSecret(toyKey), initiator: true}, &toy{key: sasl.NewSecret(toyKey)}
		l, err := newLayer(client, seal, 100, 100)
		if err != nil {
			t.Fatal(err)
		}
		token, _ := server.Wrap([]byte("signed"), false)
		if plain, err := l.Unwrap(token); seal != errors.Is(err, sasl.ErrSecurity) || !seal && string(plain) != "signed" {
			t.Errorf("sealed %t: %q, %v", seal, plain, err)
		}
	}
}

// TestSPNEGOLayer: the flags of the context decide the layer of GSS-SPNEGO.
func TestSPNEGOLayer(t *testing.T) {
	for demanded, want := range map[sasl.LayerStrength]Request{
		sasl.NoLayer:              {},
		sasl.IntegrityLayer:       {Integrity: true},
		sasl.ConfidentialityLayer: {Integrity: true, Confidentiality: true},
	} {
		var asked Request
		var server *toy
		m := SPNEGO(func(ctx context.Context, r Request) (SecurityContext, error) {
			asked = r
			return initiate("alice", toyKey)(ctx, r)
		}, nil)
		terms := secure
		terms.Layer = demanded
		x := m.New(terms)
		out, _, err := x.Step(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		server = &toy{key: sasl.NewSecret(toyKey)}
		proof, err := server.accept(out[2+8+4+15+4:])
		if err != nil {
			t.Fatal(err)
		}
		if _, done, err := x.Step(t.Context(), response(0, kerberos, proof, nil)); err != nil || !done {
			t.Fatal(done, err)
		}
		layer := x.(*spnego).Layer()
		if asked.Integrity != want.Integrity || asked.Confidentiality != want.Confidentiality || (layer != nil) != want.Integrity {
			t.Errorf("%s: the context has %+v, the layer is %v", demanded, asked, layer)
		}
		if layer != nil && (layer.Strength() != demanded || layer.MaxPlain() != 65536-38 || layer.MaxProtected() != 1<<24-1) {
			t.Errorf("%s: the layer has %s, %d, %d", demanded, layer.Strength(), layer.MaxPlain(), layer.MaxProtected())
		}
		// An offer of another layer comes too late.
		offer, _ := server.Wrap([]byte("\x07\x00\x00\x64"), false)
		if out, _, err := x.Step(t.Context(), offer); layer != nil && (!errors.Is(err, sasl.ErrProtocol) || out != nil || x.(*spnego).Layer() != layer) {
			t.Errorf("%s: an offer after the layer: %q, %v", demanded, out, err)
		}
	}
}
