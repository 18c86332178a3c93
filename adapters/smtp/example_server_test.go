package saslsmtp_test

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"io"
	"log"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// session is a session of the library with our mechanisms.
type session struct {
	saslsmtp.ServerAuth
	username string // "" = before the login
}

var _ smtp.AuthSession = (*session)(nil)

func (s *session) Mail(from string, options *smtp.MailOptions) error {
	if s.username == "" {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (*session) Rcpt(to string, options *smtp.RcptOptions) error { return nil }
func (*session) Data(r io.Reader) error                          { _, err := io.Copy(io.Discard, r); return err }
func (*session) Reset()                                          {}
func (*session) Logout() error                                   { return nil }

// A submission server on go-smtp, with PLAIN for one user. One ServerAuth is for
// one session.
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
	server := smtp.NewServer(smtp.BackendFunc(func(conn *smtp.Conn) (smtp.Session, error) {
		s := new(session)
		s.ServerAuth = saslsmtp.ServerAuth{
			Server: auth, Conn: conn, Leaf: channelbinding.LeafOf(config),
			LoggedIn: func(result sasl.Result) error {
				s.username = result.Username
				return nil
			},
		}
		return s, nil
	}))
	server.Addr, server.Domain, server.TLSConfig = ":465", "mail.example.org", config
	server.MaxLineLength = saslsmtp.ServerLineLength
	log.Fatal(server.ListenAndServeTLS())
}
