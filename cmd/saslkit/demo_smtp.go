package main

import (
	"crypto/tls"
	"io"
	"log"

	gosasl "github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// demoMail is a session that accepts mail from an authenticated client, and drops
// the mail.
type demoMail struct {
	saslsmtp.ServerAuth
	authenticated bool
	hasty         bool
}

func (s *demoMail) Reset()        {}
func (s *demoMail) Logout() error { return nil }

func (s *demoMail) Mail(string, *smtp.MailOptions) error {
	if !s.authenticated {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *demoMail) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (s *demoMail) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

func (s *demoMail) Auth(mechanism string) (gosasl.Server, error) {
	if s.hasty {
		return hastyExchange{}, nil
	}
	return s.ServerAuth.Auth(mechanism)
}

// demoSMTP returns a server of go-smtp with our mechanisms.
func demoSMTP(auth *sasl.Server, config *tls.Config, hasty bool) *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(conn *smtp.Conn) (smtp.Session, error) {
		session := &demoMail{hasty: hasty}
		session.ServerAuth = saslsmtp.ServerAuth{
			Server: auth, Conn: conn, Leaf: channelbinding.LeafOf(config),
			LoggedIn: func(sasl.Result) error {
				session.authenticated = true
				return nil
			},
		}
		return session, nil
	}))
	server.Domain = demoHost
	server.TLSConfig = config
	server.MaxLineLength = saslsmtp.ServerLineLength
	// The sasl.Server decides which mechanisms need TLS.
	server.AllowInsecureAuth = true
	server.ErrorLog = log.New(io.Discard, "", 0)
	return server
}
