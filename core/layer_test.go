package sasl_test

import (
	"context"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestDemandedLayer is the table of the layer that a run has to negotiate.
func TestDemandedLayer(t *testing.T) {
	const (
		none, integrity, confidentiality = sasl.NoLayer, sasl.IntegrityLayer, sasl.ConfidentialityLayer

		noLayers = "the mechanism has no security layer, which ServerInfo.Layer demands"
		carries  = "this connection cannot carry a security layer, which ServerInfo.Layer demands"
	)
	layered, plain := sasl.Properties{Layers: true}, sasl.Properties{}
	for _, row := range []struct {
		properties sasl.Properties
		srv        sasl.ServerInfo
		want       sasl.LayerStrength
		reason     string // "" = the mechanism is used
	}{
		{layered, sasl.ServerInfo{CarriesLayer: true}, confidentiality, ""},
		{layered, sasl.ServerInfo{CarriesLayer: true, TLSVersion: 0x0304}, none, ""},
		{layered, sasl.ServerInfo{CarriesLayer: true, Secure: true}, none, ""},
		{layered, sasl.ServerInfo{}, none, ""},
		{layered, sasl.ServerInfo{CarriesLayer: true, Layer: none}, none, ""},
		{layered, sasl.ServerInfo{CarriesLayer: true, Layer: integrity}, integrity, ""},
		{layered, sasl.ServerInfo{CarriesLayer: true, Layer: integrity, Secure: true, TLSVersion: 0x0304}, integrity, ""},
		{layered, sasl.ServerInfo{CarriesLayer: true, Layer: confidentiality, Secure: true}, confidentiality, ""},
		{layered, sasl.ServerInfo{Layer: none}, none, ""},
		{layered, sasl.ServerInfo{Layer: integrity}, none, carries},
		{layered, sasl.ServerInfo{Layer: confidentiality}, none, carries},
		{plain, sasl.ServerInfo{CarriesLayer: true}, none, ""},
		{plain, sasl.ServerInfo{CarriesLayer: true, Layer: integrity}, none, noLayers},
		{plain, sasl.ServerInfo{CarriesLayer: true, Layer: confidentiality}, none, noLayers},
		{plain, sasl.ServerInfo{Layer: confidentiality}, none, carries},
	} {
		var asked, demanded sasl.LayerStrength
		client := &sasl.Client{
			Mechanisms: []sasl.Mechanism{termsMechanism{declared{"X-TEST", row.properties}, &demanded}},
			Allow:      func(c sasl.Candidate) error { asked = c.Layer; return nil },
		}
		row.srv.Mechanisms = []string{"X-TEST"}
		_, err := client.Begin(t.Context(), row.srv)
		if asked != row.want {
			t.Errorf("%+v: the policy was asked about %q, want %q", row, asked, row.want)
		}
		if row.reason == "" && (err != nil || demanded != row.want) {
			t.Errorf("%+v: the run demands %q: %v", row, demanded, err)
		}
		if row.reason != "" && (sasl.ClassOf(err) != sasl.ErrPolicy || !strings.HasSuffix(err.Error(), "X-TEST: "+row.reason)) {
			t.Errorf("%+v: %v", row, err)
		}
	}
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{declared{"X-TEST", layered}}}
	_, err := client.Begin(t.Context(), sasl.ServerInfo{Secure: true, Layer: "sealed", Mechanisms: []string{"X-TEST"}})
	if sasl.ClassOf(err) != sasl.ErrConfig {
		t.Errorf("an unknown strength: %v", err)
	}
}

// termsMechanism records the layer of its terms.
type termsMechanism struct {
	declared
	layer *sasl.LayerStrength
}

func (m termsMechanism) New(t sasl.Terms) sasl.Exchange {
	*m.layer = t.Layer
	return m.declared.New(t)
}

// TestNegotiatedLayer runs logins in which the mechanism negotiates a layer: the
// connection gets the layer that the login demands and no other.
func TestNegotiatedLayer(t *testing.T) {
	const none, integrity, confidentiality = sasl.NoLayer, sasl.IntegrityLayer, sasl.ConfidentialityLayer
	for _, row := range []struct {
		demanded, negotiated sasl.LayerStrength
		most                 int
		class                sasl.Class // "" = success
		words                string
	}{
		{none, none, 0, "", ""},
		{integrity, integrity, 0, "", ""},
		{integrity, confidentiality, 0, "", ""},
		{confidentiality, confidentiality, 0, "", ""},
		{confidentiality, confidentiality, 33, "", ""},
		{none, integrity, 0, sasl.ErrSecurity, "X-TEST has negotiated a security layer, which this connection cannot carry or the caller excludes"},
		{none, confidentiality, 0, sasl.ErrSecurity, "X-TEST has negotiated a security layer, which this connection cannot carry or the caller excludes"},
		{integrity, none, 0, sasl.ErrSecurity, "X-TEST has negotiated no security layer, and the login demands integrity"},
		{confidentiality, none, 0, sasl.ErrSecurity, "X-TEST has negotiated no security layer, and the login demands confidentiality"},
		{confidentiality, integrity, 0, sasl.ErrSecurity, `X-TEST has negotiated a security layer of the strength "integrity", and the login demands confidentiality`},
		{integrity, "sealed", 0, sasl.ErrSecurity, `X-TEST has negotiated a security layer of the strength "sealed", and the login demands integrity`},
		{confidentiality, confidentiality, 32, sasl.ErrSecurity, "X-TEST has negotiated a security layer that cannot carry an octet"},
	} {
		conn := &layerPeer{}
		var trace []string
		client := &sasl.Client{
			Mechanisms: []sasl.Mechanism{sasltest.Layered{Strength: row.negotiated, MaxProtected: row.most}},
			Trace: func(e sasl.Event) {
				if e.Kind != sasl.EventInitiated { // a random message
					trace = append(trace, e.String())
				}
			},
		}
		result, err := client.Authenticate(t.Context(), conn, sasl.ServerInfo{
			Secure: true, CarriesLayer: true, Layer: row.demanded, Mechanisms: []string{"X-TEST"}, SuccessData: true})
		if row.class != "" {
			want := row.class.Error() + ": " + row.words
			if err == nil || err.Error() != want || conn.calls != "initiate close" || result.Layer != "" {
				t.Errorf("%+v: %v, result %+v, calls %s", row, err, result, conn.calls)
			}
			continue
		}
		want := "-- X-TEST; S+ 32 octets"
		if row.demanded != none {
			want = "-- X-TEST, demanding a security layer with " + string(row.demanded) + "; S+ 32 octets; -- " + string(row.negotiated)
		}
		if err != nil || conn.calls != "initiate install relist" || (conn.layer == nil) != (row.negotiated == none) {
			t.Errorf("%+v: %v, calls %s", row, err, conn.calls)
		}
		if got := strings.TrimPrefix(string(row.negotiated), "none"); string(result.Layer) != got {
			t.Errorf("%+v: the Result has the layer %q", row, result.Layer)
		}
		if strings.Join(trace, "; ") != want {
			t.Errorf("%+v: the trace is %q, want %q", row, trace, want)
		}
	}
}

// layerPeer is a server of sasltest.Layered.
type layerPeer struct {
	early bool // success comes without the proof
	layer sasl.Layer
	calls string // in their order
}

func (p *layerPeer) call(name string) { p.calls = strings.TrimSpace(p.calls + " " + name) }

func (p *layerPeer) Initiate(_ context.Context, _ string, initial []byte) (sasl.Reply, error) {
	p.call("initiate")
	if p.early {
		return sasl.Reply{Done: true}, nil
	}
	_, proof, err := sasltest.ServerLayer(initial)
	return sasl.Reply{Data: proof, Done: true}, err
}

func (p *layerPeer) Respond(context.Context, []byte) (sasl.Reply, error) {
	return sasl.Reply{}, sasl.ErrProtocol
}

func (p *layerPeer) Abort(context.Context) error   { p.call("abort"); return nil }
func (p *layerPeer) Close() error                  { p.call("close"); return nil }
func (p *layerPeer) InstallLayer(layer sasl.Layer) { p.call("install"); p.layer = layer }

func (p *layerPeer) Relist(context.Context) ([]string, error) {
	p.call("relist")
	return nil, nil
}

// TestLayerNeedsVerifiedSuccess: success without the proof installs no layer.
func TestLayerNeedsVerifiedSuccess(t *testing.T) {
	conn := &layerPeer{early: true}
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasltest.Layered{}}}
	_, err := client.Authenticate(t.Context(), conn, sasl.ServerInfo{CarriesLayer: true, Mechanisms: []string{"X-TEST"}})
	if sasl.ClassOf(err) != sasl.ErrSecurity || conn.calls != "initiate close" {
		t.Errorf("%v, calls %s", err, conn.calls)
	}
}

// TestLayerNeedsInterface: a ServerInfo that promises a layer for a connection
// without InstallLayer is an error before anything is sent.
func TestLayerNeedsInterface(t *testing.T) {
	conn := &fixedServer{}
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasltest.Layered{}}}
	_, err := client.Authenticate(t.Context(), conn, sasl.ServerInfo{CarriesLayer: true, Mechanisms: []string{"X-TEST"}})
	if sasl.ClassOf(err) != sasl.ErrConfig || conn.next != 0 {
		t.Errorf("%v, after %d messages", err, conn.next)
	}
}

// TestLayerOfSession: a library's loop gets the layer from the Session, and only
// after the verified success.
func TestLayerOfSession(t *testing.T) {
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasltest.Layered{}}}
	session, err := client.Begin(t.Context(), sasl.ServerInfo{CarriesLayer: true, Mechanisms: []string{"X-TEST"}})
	if err != nil {
		t.Fatal(err)
	}
	_, initial, _ := session.Start()
	server, proof, err := sasltest.ServerLayer(initial)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.Respond(proof); err != nil || session.Layer() != nil || session.Result().Layer != "" {
		t.Errorf("before success: %v, %v", err, session.Result())
	}
	if err := session.Finish(nil); err != nil || session.Layer() == nil {
		t.Fatal(err)
	}
	protected, err := session.Layer().Wrap([]byte("hello"))
	if err != nil || strings.Contains(string(protected), "hello") {
		t.Errorf("%q, %v", protected, err)
	}
	if plain, err := server.Unwrap(protected); string(plain) != "hello" {
		t.Errorf("%q, %v", plain, err)
	}
}
