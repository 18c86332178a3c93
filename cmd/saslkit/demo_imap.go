package main

import (
	"crypto/tls"
	"io"
	"log"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	gosasl "github.com/emersion/go-sasl"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// demoSession is a mailbox that has no owner until the login.
type demoSession struct {
	*imapmemserver.UserSession
	saslimap.ServerAuth
	// hasty announces success after the first message of the client.
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

// demoIMAP returns a server of go-imap with our mechanisms.
func demoIMAP(auth *sasl.Server, config *tls.Config, hasty bool) (*imapserver.Server, error) {
	mailbox := imapmemserver.NewUser(demoUser, "")
	if err := mailbox.Create("INBOX", nil); err != nil {
		return nil, err
	}
	server := imapserver.New(&imapserver.Options{
		TLSConfig: config,
		// The sasl.Server decides which mechanisms need TLS.
		InsecureAuth: true,
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}},
		Logger:       log.New(io.Discard, "", 0),
		NewSession: func(conn *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			session := &demoSession{hasty: hasty}
			session.ServerAuth = saslimap.ServerAuth{
				Server: auth, Conn: conn, Leaf: channelbinding.LeafOf(config),
				LoggedIn: func(sasl.Result) error {
					session.UserSession = imapmemserver.NewUserSession(mailbox)
					return nil
				},
			}
			return session, nil, nil
		},
	})
	return server, nil
}
