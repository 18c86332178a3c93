package channelbinding

import (
	"crypto/tls"
	"reflect"
	"slices"
	"testing"
)

// TestRotateAndResume: after a resumption the client binds to the certificate
// of the first handshake. A server that has another one by then must not offer
// to bind to it, and one that cannot have another goes on.
func TestRotateAndResume(t *testing.T) {
	ca := newAuthority(t, ecdsaKey(t))
	for name, version := range versions {
		t.Run(name+", rotated", func(t *testing.T) {
			client, server := configs(t, ca, version)
			client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			current := server.Certificates[0]
			server.Certificates = nil
			server.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &current, nil }
			connect(t, client, server)
			current = ca.leaf(t, host)
			ours, theirs := connect(t, client, server)
			if !ours.DidResume || !theirs.DidResume {
				t.Fatal("the session was not resumed")
			}
			info, err := Server(&theirs, Leaf{Certificate: current.Leaf})
			if err != nil || slices.Contains(types(info.Bindings), ServerEndPoint) {
				t.Errorf("the server offers %q, %v", types(info.Bindings), err)
			}
			if leaf := LeafOf(server); leaf.Certificate != nil {
				t.Error("LeafOf knows what a callback chooses")
			}
		})
		t.Run(name+", one certificate", func(t *testing.T) {
			client, server := configs(t, ca, version)
			client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			connect(t, client, server)
			ours, theirs := connect(t, client, server)
			if !ours.DidResume || !theirs.DidResume {
				t.Fatal("the session was not resumed")
			}
			clientInfo, err1 := Client(&ours, host)
			serverInfo, err2 := Server(&theirs, LeafOf(server))
			if err1 != nil || err2 != nil || !clientInfo.Secure {
				t.Fatal(clientInfo, err1, err2)
			}
			if !slices.Contains(types(serverInfo.Bindings), ServerEndPoint) || !reflect.DeepEqual(clientInfo.Bindings, serverInfo.Bindings) {
				t.Errorf("the client has %x, the server %x", clientInfo.Bindings, serverInfo.Bindings)
			}
		})
	}
}

// TestLeafOf: configurations whose certificate is known, and others.
func TestLeafOf(t *testing.T) {
	ca := newAuthority(t, ecdsaKey(t))
	one := ca.leaf(t, host)
	unparsed := one
	unparsed.Leaf = nil
	for name, row := range map[string]struct {
		config *tls.Config
		known  bool
	}{
		"nil":                 {nil, false},
		"none":                {&tls.Config{}, false},
		"one":                 {&tls.Config{Certificates: []tls.Certificate{one}}, true},
		"one, not parsed":     {&tls.Config{Certificates: []tls.Certificate{unparsed}}, true},
		"one, without data":   {&tls.Config{Certificates: []tls.Certificate{{}}}, false},
		"one, malformed":      {&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{{1}}}}}, false},
		"two":                 {&tls.Config{Certificates: []tls.Certificate{one, one}}, false},
		"chosen by callback":  {&tls.Config{Certificates: []tls.Certificate{one}, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }}, false},
		"config per callback": {&tls.Config{Certificates: []tls.Certificate{one}, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }}, false},
	} {
		leaf := LeafOf(row.config)
		if (leaf.Certificate != nil) != row.known || leaf.Only != row.known || row.known && !leaf.Certificate.Equal(one.Leaf) {
			t.Errorf("%s: %+v", name, leaf)
		}
	}
}
