package channelbinding

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

var versions = map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13}

func types(bindings []sasl.ChannelBinding) (names []string) {
	for _, b := range bindings {
		names = append(names, b.Type)
	}
	return names
}

// TestBothEndsAgree: the types in their order, and the same bytes at both ends.
func TestBothEndsAgree(t *testing.T) {
	ecdsaCA, ed25519CA := newAuthority(t, ecdsaKey(t)), newAuthority(t, ed25519Key(t))
	for _, row := range []struct {
		name    string
		ca      *authority
		version uint16
		want    []string
	}{
		{"TLS 1.3", ecdsaCA, tls.VersionTLS13, []string{"tls-exporter", "tls-server-end-point"}},
		{"TLS 1.2", ecdsaCA, tls.VersionTLS12, []string{"tls-unique", "tls-server-end-point", "tls-exporter"}},
		{"TLS 1.3, Ed25519", ed25519CA, tls.VersionTLS13, []string{"tls-exporter"}},
		{"TLS 1.2, Ed25519", ed25519CA, tls.VersionTLS12, []string{"tls-unique", "tls-exporter"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			clientConfig, serverConfig := configs(t, row.ca, row.version)
			ours, theirs := connect(t, clientConfig, serverConfig)
			client, err := Client(&ours, host)
			if err != nil {
				t.Fatal(err)
			}
			server, err := Server(&theirs, LeafOf(serverConfig))
			if err != nil {
				t.Fatal(err)
			}
			if got := types(client.Bindings); !slices.Equal(got, row.want) {
				t.Errorf("the client has %q, want %q", got, row.want)
			}
			if !reflect.DeepEqual(client.Bindings, server.Bindings) {
				t.Errorf("the client has %x, the server %x", client.Bindings, server.Bindings)
			}
			if !client.Secure || client.Host != host || client.TLSVersion != row.version || !server.Secure || server.TLSVersion != row.version {
				t.Errorf("client %+v, server %+v", client, server)
			}
			again, _ := connect(t, clientConfig, serverConfig)
			other, err := Client(&again, host)
			if err != nil {
				t.Fatal(err)
			}
			for i, b := range client.Bindings {
				same := bytes.Equal(b.Data, other.Bindings[i].Data)
				if same != (b.Type == ServerEndPoint) {
					t.Errorf("%s of two connections: the same is %t", b.Type, same)
				}
			}
		})
	}
}

// TestExporterContext: on TLS 1.2 the context of RFC 9266 is the empty one.
func TestExporterContext(t *testing.T) {
	client, server := configs(t, newAuthority(t, ecdsaKey(t)), tls.VersionTLS12)
	state, _ := connect(t, client, server)
	empty, err1 := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
	absent, err2 := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if got := exporter(&state); !bytes.Equal(got, empty) || bytes.Equal(got, absent) {
		t.Errorf("%x, want %x and not %x", got, empty, absent)
	}
}

// TestUnusableStates: a clear error, no panic.
func TestUnusableStates(t *testing.T) {
	for name, version := range versions {
		client, server := configs(t, newAuthority(t, ecdsaKey(t)), version)
		var captured tls.ConnectionState
		client.VerifyConnection = func(state tls.ConnectionState) error {
			captured = state
			return nil
		}
		state, theirs := connect(t, client, server)
		for kind, state := range map[string]*tls.ConnectionState{"nil": nil, "zero": {}, "captured": &captured} {
			if _, err := Client(state, host); sasl.ClassOf(err) != sasl.ErrConfig {
				t.Errorf("%s, %s: client %v", name, kind, err)
			}
			if _, err := Server(state, Leaf{}); sasl.ClassOf(err) != sasl.ErrConfig {
				t.Errorf("%s, %s: server %v", name, kind, err)
			}
		}
		// Put together by hand: no exporter, so nothing that hangs on it.
		byHand := tls.ConnectionState{HandshakeComplete: true, Version: version, PeerCertificates: state.PeerCertificates, TLSUnique: []byte("x")}
		info, err := Client(&byHand, host)
		if err != nil || !slices.Equal(types(info.Bindings), []string{"tls-server-end-point"}) {
			t.Errorf("%s: %q, %v", name, types(info.Bindings), err)
		}
		// A server's state given to Client by mistake.
		if _, err := Client(&theirs, host); sasl.ClassOf(err) != sasl.ErrConfig {
			t.Errorf("%s: a server's state: %v", name, err)
		}
	}
}

// TestNoSignOfExtendedMasterSecret: if the exporter is switched off, or
// works without what it is the sign of, only the end point is left.
func TestNoSignOfExtendedMasterSecret(t *testing.T) {
	ca := newAuthority(t, ecdsaKey(t))
	for name, version := range versions {
		client, server := configs(t, ca, version)
		client.Renegotiation = tls.RenegotiateOnceAsClient
		state, _ := connect(t, client, server)
		info, err := Client(&state, host)
		if err != nil || !slices.Equal(types(info.Bindings), []string{"tls-server-end-point"}) {
			t.Errorf("%s, renegotiation: %q, %v", name, types(info.Bindings), err)
		}
	}
	for _, row := range []struct {
		godebug string
		version uint16
		want    []string
	}{
		{"tlsunsafeekm=1", tls.VersionTLS12, []string{"tls-server-end-point"}},
		{"tlsunsafeekm=1#note", tls.VersionTLS12, []string{"tls-server-end-point"}},
		{"tlsunsafeekm=0,tlsunsafeekm=1", tls.VersionTLS12, []string{"tls-server-end-point"}},
		{"tlsunsafeekm=1,tlsunsafeekm=0", tls.VersionTLS12, []string{"tls-unique", "tls-server-end-point", "tls-exporter"}},
		{"tlsunsafeekm=1", tls.VersionTLS13, []string{"tls-exporter", "tls-server-end-point"}},
	} {
		t.Setenv("GODEBUG", row.godebug)
		client, server := configs(t, ca, row.version)
		state, _ := connect(t, client, server)
		info, err := Client(&state, host)
		if err != nil || !slices.Equal(types(info.Bindings), row.want) {
			t.Errorf("%s, %s: %q, %v, want %q", row.godebug, tls.VersionName(row.version), types(info.Bindings), err, row.want)
		}
	}
}

// TestPeer: the client's certificate is proved only if its chain is verified.
func TestPeer(t *testing.T) {
	ca := newAuthority(t, ecdsaKey(t))
	client, server := configs(t, ca, tls.VersionTLS13)
	client.Certificates = []tls.Certificate{ca.leaf(t, "alice")}
	for auth, want := range map[tls.ClientAuthType]bool{
		tls.NoClientCert: false, tls.RequestClientCert: false, tls.RequireAndVerifyClientCert: true,
	} {
		server.ClientAuth, server.ClientCAs = auth, ca.pool
		_, state := connect(t, client, server)
		info, err := Server(&state, Leaf{})
		if err != nil {
			t.Fatal(err)
		}
		peer, ok := info.Peer.(*x509.Certificate)
		if ok != want || ok && peer.Subject.CommonName != "alice" || !ok && info.Peer != nil {
			t.Errorf("%v: peer %v", auth, info.Peer)
		}
		if slices.Contains(types(info.Bindings), ServerEndPoint) {
			t.Errorf("%v: an end point without a leaf", auth)
		}
	}
}

// TestConnections: what kinds of connections prove.
func TestConnections(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	if info, err := ClientConn(near, host); err != nil || info.Secure || info.Host != host || info.Bindings != nil {
		t.Errorf("pipe: %+v, %v", info, err)
	}
	if _, err := ClientConn(tls.Client(near, &tls.Config{ServerName: host}), host); sasl.ClassOf(err) != sasl.ErrConfig {
		t.Errorf("before the handshake: %v", err)
	}
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if info, err := ClientConn(conn, host); err != nil || !info.Secure || info.TLSVersion != 0 || info.Bindings != nil {
		t.Errorf("Unix socket: %+v, %v", info, err)
	}
	if info, err := ServerConn(conn, Leaf{}); err != nil || !info.Secure || info.TLSVersion != 0 || info.Bindings != nil {
		t.Errorf("Unix socket, server: %+v, %v", info, err)
	}
	if info, err := ServerConn(far, Leaf{}); err != nil || info.Secure || info.Remote != "pipe" {
		t.Errorf("pipe, server: %+v, %v", info, err)
	}
	if info, err := ServerConn(tls.Server(far, &tls.Config{}), Leaf{}); sasl.ClassOf(err) != sasl.ErrConfig || info.Remote != "pipe" {
		t.Errorf("server before the handshake: %v", err)
	}
}
