package saslimap

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

const host = "mail.example.org"

// testServer is the library's own server with our mechanisms.
type testServer struct {
	implicit, startTLS string // addresses
	client             *tls.Config
	user               tls.Certificate // with which EXTERNAL is the user
	logins             chan sasl.Result
	refusals           chan error
	failing            atomic.Bool // LoggedIn has an error
}

// memSession is a session of imapmemserver that has no user until the login.
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

// Login is the library's LOGIN command, which has another password.
func (s *memSession) Login(username, password string) error {
	if password != `for "LOGIN" alone` {
		return imapserver.ErrAuthFailed
	}
	return s.LoggedIn(sasl.Result{Mechanism: LoginCommandName, Username: username})
}

func serve(t *testing.T, server *sasl.Server) *testServer {
	t.Helper()
	certificate, pool := sasltest.Certificate(t, host)
	userCertificate, clientCAs := sasltest.Certificate(t, "user")
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clientCAs}
	s := &testServer{
		user:     userCertificate,
		client:   &tls.Config{RootCAs: pool, ServerName: host},
		logins:   make(chan sasl.Result, 16),
		refusals: make(chan error, 16),
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
				LoggedIn: func(result sasl.Result) error {
					if s.failing.Load() {
						return errors.New("the disk of /var/mail is full")
					}
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

// receive returns what a server has reported, which it does soon.
func receive[T any](t *testing.T, reports <-chan T) (report T) {
	t.Helper()
	select {
	case report = <-reports:
	case <-time.After(5 * time.Second):
		t.Fatal("the server has reported nothing")
	}
	return report
}
