package saslimap_test

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"log"

	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// session is a session of the library with our mechanisms. Until the client is
// authenticated, the embedded Session has no user.
type session struct {
	imapserver.Session
	saslimap.ServerAuth
}

var _ imapserver.SessionSASL = (*session)(nil)

// A server on imapserver, with PLAIN for one user. One ServerAuth is for one
// session.
func ExampleServerAuth() {
	auth := &sasl.Server{Mechanisms: []sasl.ServerMechanism{
		sasl.PlainServer(func(_ context.Context, username string, password sasl.Secret) error {
			if username != "alice" || subtle.ConstantTimeCompare(password.Bytes(), []byte("secret")) != 1 {
				return sasl.ErrAuthentication
			}
			return nil
		}),
	}}
	if err := auth.Validate(); err != nil {
		log.Fatal(err)
	}
	certificate, err := tls.LoadX509KeyPair("cert.pem", "key.pem")
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	alice, memory := imapmemserver.NewUser("alice", ""), imapmemserver.New()
	server := imapserver.New(&imapserver.Options{
		TLSConfig: config,
		NewSession: func(conn *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			s := &session{Session: memory.NewSession()}
			s.ServerAuth = saslimap.ServerAuth{
				Server: auth, Conn: conn, Leaf: channelbinding.LeafOf(config),
				LoggedIn: func(result sasl.Result) error { // result.Username is the name of the user
					s.Session = &mailbox{imapmemserver.NewUserSession(alice)}
					return nil
				},
			}
			return s, nil, nil
		},
	})
	log.Fatal(server.ListenAndServeTLS(":993"))
}

// mailbox is the session of a user after the login.
type mailbox struct{ *imapmemserver.UserSession }

func (*mailbox) Login(string, string) error { return imapserver.ErrAuthFailed }
