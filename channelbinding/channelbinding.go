// Package channelbinding returns the proofs and the channel bindings (RFC 5056) of a
// connection of crypto/tls: tls-exporter (RFC 9266), tls-unique and
// tls-server-end-point (RFC 5929). Adapters use the package; its functions fill in
// the security facts of a sasl.ServerInfo and a sasl.ConnInfo.
//
// A binding is offered only if it is safe and both sides must compute the
// same bytes:
//
//   - tls-exporter on TLS 1.3; on TLS 1.2 last, and only with the extended
//     master secret (RFC 7627), so that it is used if the server lists it or
//     the user names it. Never with GODEBUG=tlsunsafeekm=1 on TLS 1.2.
//   - tls-unique on TLS 1.2, under the same condition. TLS 1.3 has none.
//   - tls-server-end-point if the signature of the certificate defines a hash
//     for it; Ed25519 and ML-DSA do not.
//
// A tls.Config with Renegotiation allowed has neither of the first two.
package channelbinding

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	sasl "github.com/saslkit/saslkit/core"
)

// Names of the channel-binding types, as registered with IANA.
const (
	Exporter       = "tls-exporter"
	Unique         = "tls-unique"
	ServerEndPoint = "tls-server-end-point"
)

// ErrNoTLS is the reason why a connection without TLS is not Secure.
var ErrNoTLS = errors.New("the connection has no TLS")

// Client returns what a client's connection proves: Host, Secure, TLSVersion
// and Bindings of a ServerInfo. The state is that of a *tls.Conn after the
// handshake; one captured in VerifyConnection, or before the handshake is
// complete, is an ErrConfig.
//
// Secure is true if the server's chain was verified and its certificate is
// valid for host. With InsecureSkipVerify a full handshake verifies none, so
// that it is not Secure whatever the callbacks check, and the caller may assert
// it; a resumption has the chains of the handshake that it resumes.
func Client(state *tls.ConnectionState, host string) (sasl.ServerInfo, error) {
	if err := checkState(state); err != nil {
		return sasl.ServerInfo{}, err
	}
	if len(state.PeerCertificates) == 0 {
		return sasl.ServerInfo{}, fmt.Errorf("%w: the TLS connection has no server certificate; take the state of a client's connection", sasl.ErrConfig)
	}
	leaf := state.PeerCertificates[0]
	reason := insecureReason(state, leaf, host)
	return sasl.ServerInfo{
		Host:           host,
		Secure:         reason == nil,
		InsecureReason: reason,
		TLSVersion:     state.Version,
		Bindings:       bindings(state, leaf),
	}, nil
}

// ClientConn is Client for a connection: one of crypto/tls, or one whose
// method ConnectionState tells as much; a Unix socket, which is Secure and has
// nothing to bind to; or any other, which is not Secure.
func ClientConn(conn net.Conn, host string) (sasl.ServerInfo, error) {
	if conn, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		state := conn.ConnectionState()
		return Client(&state, host)
	}
	if isUnix(conn) {
		return sasl.ServerInfo{Host: host, Secure: true}, nil
	}
	return sasl.ServerInfo{Host: host, InsecureReason: ErrNoTLS}, nil
}

// isUnix needs both ends to say so: a proxy's listener may be a Unix socket
// while what it stands for is not.
func isUnix(conn net.Conn) bool {
	_, local := conn.LocalAddr().(*net.UnixAddr)
	_, remote := conn.RemoteAddr().(*net.UnixAddr)
	return local && remote
}

// Leaf is the certificate that a server presented on a connection, which a
// tls.ConnectionState does not hold.
type Leaf struct {
	// Certificate is nil if it is not known: then there is no
	// tls-server-end-point.
	Certificate *x509.Certificate
	// Only says that it is the only one that the server's configuration, and
	// every other that shares its session tickets, has ever served. After a
	// resumption the client binds to the certificate of the first handshake,
	// so without this there is no tls-server-end-point then.
	Only bool
}

// LeafOf returns the Leaf of a configuration with one fixed certificate, and
// the zero value for one that can serve several or chooses in a callback,
// which must say itself which it was.
func LeafOf(config *tls.Config) Leaf {
	if config == nil || len(config.Certificates) != 1 || config.GetCertificate != nil || config.GetConfigForClient != nil {
		return Leaf{}
	}
	certificate := config.Certificates[0]
	if certificate.Leaf != nil {
		return Leaf{Certificate: certificate.Leaf, Only: true}
	}
	if len(certificate.Certificate) == 0 {
		return Leaf{}
	}
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		return Leaf{}
	}
	return Leaf{Certificate: leaf, Only: true}
}

// Server returns what a server knows of a TLS connection: Secure, TLSVersion,
// Bindings and Peer of a ConnInfo. Peer is the client's certificate, an
// *x509.Certificate, if its chain was verified. The state is as for Client.
func Server(state *tls.ConnectionState, leaf Leaf) (sasl.ConnInfo, error) {
	if err := checkState(state); err != nil {
		return sasl.ConnInfo{}, err
	}
	if state.DidResume && !leaf.Only {
		leaf.Certificate = nil
	}
	info := sasl.ConnInfo{
		Secure:     true,
		TLSVersion: state.Version,
		Bindings:   bindings(state, leaf.Certificate),
	}
	if len(state.VerifiedChains) > 0 {
		info.Peer = state.VerifiedChains[0][0]
	}
	return info, nil
}

// ServerConn is Server for a connection, of the kinds that ClientConn knows. Remote is
// the address of the client, also in a ConnInfo with an error.
func ServerConn(conn net.Conn, leaf Leaf) (info sasl.ConnInfo, err error) {
	if secured, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		state := secured.ConnectionState()
		info, err = Server(&state, leaf)
	} else {
		info.Secure = isUnix(conn)
	}
	if address := conn.RemoteAddr(); address != nil {
		info.Remote = address.String()
	}
	return info, err
}

func checkState(state *tls.ConnectionState) error {
	if state == nil || !state.HandshakeComplete {
		return fmt.Errorf("%w: the TLS handshake is not complete; take the state from the connection after it", sasl.ErrConfig)
	}
	return nil
}

// bindings returns what the connection can be bound to, best first. The leaf
// is the server's, nil if it is not known.
func bindings(state *tls.ConnectionState, leaf *x509.Certificate) []sasl.ChannelBinding {
	var list []sasl.ChannelBinding
	add := func(name string, data []byte) {
		if len(data) > 0 {
			list = append(list, sasl.ChannelBinding{Type: name, Data: data})
		}
	}
	exported := exporter(state)
	if state.Version >= tls.VersionTLS13 {
		add(Exporter, exported)
		add(ServerEndPoint, serverEndPoint(leaf))
		return list
	}
	if exported != nil {
		// The exporter is the one visible sign of the extended master secret,
		// without which tls-unique can be made the same on two connections.
		add(Unique, state.TLSUnique)
	}
	add(ServerEndPoint, serverEndPoint(leaf))
	add(Exporter, exported)
	return list
}
