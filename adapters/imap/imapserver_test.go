package saslimap

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

const host = "mail.example.org"

// testServer is the library's own server with our mechanisms.
type testServer struct {
	implicit, startTLS string // addresses
	client             *tls.Config
	user               tls.Certificate // with which EXTERNAL is the user
	logins             chan sasl.Result
	refusals           chan error
}

// memSession is a session of imapmemserver that is nobody's until the login.
type memSession struct {
	*imapmemserver.UserSession
	ServerAuth
}

func (s *memSession) Close() error {
	if s.UserSession == nil {
		return nil
	}
	return s.UserSession.Close()
}

func (s *memSession) Login(string, string) error { return imapserver.ErrAuthFailed }

func serve(t *testing.T, server *sasl.Server) *testServer {
	t.Helper()
	certificate, pool := certificateFor(t, host)
	userCertificate, clientCAs := certificateFor(t, "user")
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clientCAs}
	s := &testServer{
		user:     userCertificate,
		client:   &tls.Config{RootCAs: pool, ServerName: host},
		logins:   make(chan sasl.Result, 1),
		refusals: make(chan error, 1),
	}
	server.Refused = func(_ string, _ sasl.ConnInfo, reason error) { s.refusals <- reason }
	user := imapmemserver.NewUser("user", "")
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	imapServer := imapserver.New(&imapserver.Options{
		TLSConfig: config,
		Caps:      imap.CapSet{imap.CapIMAP4rev1: {}},
		Logger:    log.New(io.Discard, "", 0),
		NewSession: func(conn *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			session := new(memSession)
			session.ServerAuth = ServerAuth{
				Server: server, Conn: conn, Leaf: channelbinding.LeafOf(config),
				Login: func(result sasl.Result) error {
					session.UserSession = imapmemserver.NewUserSession(user)
					s.logins <- result
					return nil
				},
			}
			return session, nil, nil
		},
	})
	s.implicit = listen(t, imapServer, config)
	s.startTLS = listen(t, imapServer, nil)
	return s
}

func listen(t *testing.T, server *imapserver.Server, config *tls.Config) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = listener.Addr().String()
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Close()
		listener.Close()
		<-done
	})
	return address
}

// certificateFor returns a certificate that signs itself, for a server or a
// client of that name.
func certificateFor(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

// allMechanisms is a server for the user "user" with the password "pencil".
func allMechanisms() *sasl.Server {
	lookup := func(ctx context.Context, h sasl.Hash, name string) (*sasl.SCRAMRecord, error) {
		if name != "user" {
			return nil, nil
		}
		return sasl.DeriveSCRAM(ctx, h, "pencil", []byte("0123456789abcdef"), 4096)
	}
	server := &sasl.Server{Key: sasl.NewSecret("0123456789abcdef"), Mechanisms: []sasl.ServerMechanism{
		sasl.PlainServer(func(_ context.Context, name string, password sasl.Secret) error {
			if name != "user" || string(password.Bytes()) != "pencil" {
				return sasl.ErrAuthentication
			}
			return nil
		}),
		sasl.AnonymousServer(func(_ context.Context, trace string) (string, error) { return "guest", nil }),
		sasl.ExternalServer(func(_ context.Context, peer any) (string, error) {
			return peer.(*x509.Certificate).Subject.CommonName, nil
		}),
	}}
	for h := sasl.SHA1; h <= sasl.SHA3_512; h++ {
		server.Mechanisms = append(server.Mechanisms, sasl.SCRAMServer(h, lookup), sasl.SCRAMPlusServer(h, lookup))
	}
	return server
}
