package saslxmpp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	"github.com/saslkit/saslkit/channelbinding"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// loopback is a server in this process.
type loopback struct {
	domain *saslxmpp.Domain
	config *tls.Config // of the server
	pool   *x509.CertPool
	user   tls.Certificate
}

// accepted is the outcome of a connection at the server.
type accepted struct {
	address jid.JID
	result  sasl.Result
	err     error
}

func serve(t *testing.T, server *sasl.Server) *loopback {
	t.Helper()
	certificate, pool := sasltest.Certificate(t, host)
	user, users := sasltest.Certificate(t, "user")
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: users, NextProtos: []string{"xmpp-client"}}
	return &loopback{
		domain: &saslxmpp.Domain{Server: server, Name: jid.MustParse(host), TLSConfig: config, Leaf: channelbinding.LeafOf(config)},
		config: config, pool: pool, user: user,
	}
}

// connect returns the client's end of a connection that is served. A fault is a
// failure after eight seconds, not a hang.
func (l *loopback) connect(t *testing.T, direct bool) (net.Conn, <-chan accepted) {
	t.Helper()
	near, far := sasltest.Pair(t)
	near.SetDeadline(time.Now().Add(8 * time.Second))
	outcome := make(chan accepted, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		defer cancel()
		if direct {
			far = tls.Server(far, l.config)
		}
		_, who, err := l.domain.Accept(ctx, far)
		outcome <- accepted{who.Address, who.Result, err}
	}()
	return near, outcome
}

// tap counts the streams that a client begins.
type tap struct {
	net.Conn
	streams *atomic.Int32
}

func (c tap) Write(p []byte) (int, error) {
	c.streams.Add(int32(strings.Count(string(p), "<stream:stream")))
	return c.Conn.Write(p)
}

// login connects and logs in; streams is the number of streams over direct TLS.
func (l *loopback) login(t *testing.T, login *saslxmpp.Login, address string, version uint16, direct bool) (outcome saslxmpp.Outcome, at accepted, streams int32, err error) {
	t.Helper()
	conn, served := l.connect(t, direct)
	config := &tls.Config{RootCAs: l.pool, MinVersion: version, MaxVersion: version, Certificates: []tls.Certificate{l.user}}
	var counted atomic.Int32
	if direct {
		secured, err := transport.Handshake(t.Context(), conn, host, "", config)
		if err != nil {
			t.Fatal(err)
		}
		conn = countingTLS{secured, tap{secured, &counted}}
	}
	with := *login
	with.TLSConfig = config
	_, outcome, err = with.NewSession(t.Context(), jid.MustParse(address), conn)
	return outcome, <-served, counted.Load(), err
}

// countingTLS is a tap with the state of the TLS connection.
type countingTLS struct {
	*tls.Conn
	tap tap
}

func (c countingTLS) Write(p []byte) (int, error) { return c.tap.Write(p) }
