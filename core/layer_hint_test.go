package sasl_test

import (
	"context"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// refusingPeer is a layerPeer that refuses.
type refusingPeer struct {
	layerPeer
	condition sasl.Condition
}

func (p *refusingPeer) Initiate(context.Context, string, []byte) (sasl.Reply, error) {
	return sasl.Reply{}, &sasl.Failure{Condition: p.condition}
}

// TestLayerHint: the layer is a possible cause of a refusal by the server's policy, if
// the mechanism has layers and the connection carries them.
func TestLayerHint(t *testing.T) {
	layered, plain := sasl.Mechanism(sasltest.Layered{}), sasl.Mechanism(declared{"X-TEST", sasl.Properties{KeepsSecret: true}})
	for name, row := range map[string]struct {
		mechanism sasl.Mechanism
		carries   bool
		condition sasl.Condition
		want      string
	}{
		"too weak":             {layered, true, sasl.MechanismTooWeak, "layer"},
		"encryption required":  {layered, true, sasl.EncryptionRequired, "layer"},
		"not carried":          {layered, false, sasl.MechanismTooWeak, ""},
		"no layers":            {plain, true, sasl.MechanismTooWeak, ""},
		"wrong credentials":    {layered, true, sasl.NotAuthorized, ""},
		"temporarily no login": {layered, true, sasl.TemporaryAuthFailure, ""},
	} {
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}}
		_, err := client.Authenticate(t.Context(), &refusingPeer{condition: row.condition}, sasl.ServerInfo{
			Secure: true, CarriesLayer: row.carries, Mechanisms: []string{"X-TEST"}})
		if err == nil || hints(err) != row.want {
			t.Errorf("%s: %v, hints %q, want %q", name, err, hints(err), row.want)
		}
	}
}
