package main

import (
	"crypto/tls"
	"io"
	"log"
	"net"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	gosasl "github.com/emersion/go-sasl"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// demoServer is an IMAP server in this process, once with implicit TLS and
// once with STARTTLS.
type demoServer struct {
	pki       *demoPKI
	addresses map[string]string // by scheme
	close     func()
}

// target is the server as saslkit auth would see it.
func (s *demoServer) target(scheme string) *target {
	return &target{
		scheme: scheme, host: demoHost, address: s.addresses[scheme],
		tls: &tls.Config{ServerName: demoHost, RootCAs: s.pki.pool, Certificates: []tls.Certificate{s.pki.client}},
	}
}

// demoSession is a mailbox that is nobody's until the login.
type demoSession struct {
	*imapmemserver.UserSession
	saslimap.ServerAuth
	// hasty announces success to whatever the client sends first.
	hasty bool
}

func (s *demoSession) Login(string, string) error { return imapserver.ErrAuthFailed }

func (s *demoSession) Close() error {
	if s.UserSession == nil {
		return nil
	}
	return s.UserSession.Close()
}

func (s *demoSession) Authenticate(mechanism string) (gosasl.Server, error) {
	if s.hasty {
		return hastyExchange{}, nil
	}
	return s.ServerAuth.Authenticate(mechanism)
}

type hastyExchange struct{}

func (hastyExchange) Next([]byte) (challenge []byte, done bool, err error) { return nil, true, nil }

func startDemoIMAP(pki *demoPKI, auth *sasl.Server) (*demoServer, error) {
	return startDemoIMAPWith(pki, auth, false)
}

func startDemoIMAPWith(pki *demoPKI, auth *sasl.Server, hasty bool) (*demoServer, error) {
	config := &tls.Config{
		Certificates: []tls.Certificate{pki.server},
		ClientAuth:   tls.VerifyClientCertIfGiven,
		ClientCAs:    pki.pool,
	}
	mailbox := imapmemserver.NewUser(demoUser, "")
	if err := mailbox.Create("INBOX", nil); err != nil {
		return nil, err
	}
	server := imapserver.New(&imapserver.Options{
		TLSConfig: config,
		// What may be used without TLS is for the sasl.Server to say.
		InsecureAuth: true,
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}},
		Logger:       log.New(io.Discard, "", 0),
		NewSession: func(conn *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			session := &demoSession{hasty: hasty}
			session.ServerAuth = saslimap.ServerAuth{
				Server: auth, Conn: conn, Leaf: channelbinding.LeafOf(config),
				Login: func(sasl.Result) error {
					session.UserSession = imapmemserver.NewUserSession(mailbox)
					return nil
				},
			}
			return session, nil, nil
		},
	})
	startTLS, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	implicit, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		startTLS.Close()
		return nil, err
	}
	go server.Serve(startTLS)
	go server.Serve(tls.NewListener(implicit, config))
	return &demoServer{
		pki:       pki,
		addresses: map[string]string{"imap": startTLS.Addr().String(), "imaps": implicit.Addr().String()},
		close: func() {
			server.Close()
			startTLS.Close()
			implicit.Close()
		},
	}, nil
}
