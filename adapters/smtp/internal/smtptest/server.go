package smtptest

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"testing"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// Host is the name of the servers.
const Host = "mail.example.org"

// Server is go-smtp's server with our mechanisms.
type Server struct {
	Implicit, StartTLS string // addresses
	Client             *tls.Config
	User               tls.Certificate // with which EXTERNAL is the user
	Logins             chan sasl.Result
	Refusals           chan error
	Mail               chan string // what was submitted, by whom
	Reject             error       // the error of LoggedIn; set it before a client connects
}

// session has no user until the login.
type session struct {
	saslsmtp.ServerAuth
	server *Server
	user   string
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }
func (s *session) Mail(string, *smtp.MailOptions) error {
	if s.user == "" {
		return smtp.ErrAuthRequired
	}
	return nil
}
func (s *session) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.server.Mail <- s.user + ": " + string(text)
	return err
}

// Serve starts a server that ends with the test.
func Serve(t *testing.T, auth *sasl.Server) *Server {
	t.Helper()
	certificate, pool := sasltest.Certificate(t, Host)
	userCertificate, clientCAs := sasltest.Certificate(t, "user")
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clientCAs}
	s := &Server{
		Client: &tls.Config{RootCAs: pool, ServerName: Host}, User: userCertificate,
		Logins: make(chan sasl.Result, 1), Refusals: make(chan error, 1), Mail: make(chan string, 1),
	}
	auth.Refused = func(_ string, _ sasl.ConnInfo, reason error) { s.Refusals <- reason }
	backend := smtp.BackendFunc(func(conn *smtp.Conn) (smtp.Session, error) {
		current := &session{server: s}
		current.ServerAuth = saslsmtp.ServerAuth{
			Server: auth, Conn: conn, Leaf: channelbinding.LeafOf(config),
			LoggedIn: func(result sasl.Result) error {
				if s.Reject != nil {
					return s.Reject
				}
				current.user = result.Username
				s.Logins <- result
				return nil
			},
		}
		return current, nil
	})
	s.Implicit = listen(t, backend, config, true)
	s.StartTLS = listen(t, backend, config, false)
	return s
}

func listen(t *testing.T, backend smtp.Backend, config *tls.Config, implicit bool) (address string) {
	t.Helper()
	server := smtp.NewServer(backend)
	server.Domain = Host
	server.MaxLineLength = saslsmtp.ServerLineLength
	server.ErrorLog = log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = listener.Addr().String()
	if implicit {
		listener = tls.NewListener(listener, config)
	} else {
		server.TLSConfig = config
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Close()
		listener.Close() // the server does not know it yet if Serve has not begun
		<-done
	})
	return address
}
