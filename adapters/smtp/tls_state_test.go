package saslsmtp_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/textproto"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// unfinished is a connection whose TLS state is not known.
type unfinished struct{ net.Conn }

func (unfinished) ConnectionState() tls.ConnectionState { return tls.ConnectionState{} }

// TestUnknownTLSState: nothing is believed of a connection that claims TLS and has no
// state of it, and it is closed.
func TestUnknownTLSState(t *testing.T) {
	conn := &closing{Conn: sasltest.Scripted(t, "220 hi", ehlo, "250-mail.example.org\r\n250 AUTH PLAIN")}
	if c, err := saslsmtp.NewConn(t.Context(), unfinished{conn}, smtptest.Host, nil); sasl.ClassOf(err) != sasl.ErrConfig || c != nil || !conn.closed.Load() {
		t.Error(err)
	}
}

// library is a client of another library, over a connection with a TLS state of
// nothing.
type library struct{ io.Closer }

func (library) Extension(string) (bool, string)                 { return true, "PLAIN" }
func (library) TLSConnectionState() (tls.ConnectionState, bool) { return tls.ConnectionState{}, true }

// TestLibraryUnknownTLSState: the same for the client of a library, to which nothing
// is sent.
func TestLibraryUnknownTLSState(t *testing.T) {
	conn := sasltest.Scripted(t, "!")
	_, err := saslsmtp.AuthenticateText(t.Context(), textproto.NewConn(conn), library{conn}, plain, saslsmtp.Existing{Host: smtptest.Host, Secure: true})
	if sasl.ClassOf(err) != sasl.ErrConfig {
		t.Error(err)
	}
}

// unfinishedListener accepts connections whose TLS state is not known.
type unfinishedListener struct{ net.Listener }

func (l unfinishedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return unfinished{conn}, err
}

// TestServerUnknownTLSState: a server that does not know what a connection proves lists
// nothing, and accepts nobody.
func TestServerUnknownTLSState(t *testing.T) {
	server := smtp.NewServer(smtp.BackendFunc(func(conn *smtp.Conn) (smtp.Session, error) {
		return &session{ServerAuth: saslsmtp.ServerAuth{Server: sasltest.AllMechanisms(), Conn: conn}}, nil
	}))
	server.Domain, server.AllowInsecureAuth = smtptest.Host, true
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- server.Serve(unfinishedListener{listener}) }()
	client, err := textproto.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		says string
		want int
	}{{"", 220}, {"EHLO localhost", 250}, {"AUTH SCRAM-SHA-256 biwsbj11c2VyLHI9YWFhYWFhYWE=", 454}} {
		if step.says != "" {
			client.PrintfLine("%s", step.says)
		}
		if _, text, err := client.ReadResponse(step.want); err != nil || strings.Contains(text, "AUTH") {
			t.Errorf("%s: %q, %v", step.says, text, err)
		}
	}
	client.Close()
	server.Close()
	listener.Close()
	<-done
}

// TestNewConnToClearText: the error of a handshake that the server answered in SMTP
// names the step and the way out.
func TestNewConnToClearText(t *testing.T) {
	near, far := sasltest.Pair(t)
	go io.WriteString(far, "220 mail.example.org ESMTP\r\n")
	_, err := saslsmtp.NewConn(t.Context(), tls.Client(near, &tls.Config{ServerName: smtptest.Host}), smtptest.Host, nil)
	var port *transport.PortError
	var step *transport.StepError
	if !errors.As(err, &port) || port.Found != transport.PortClear || !errors.As(err, &step) || step.Step != transport.TLSHandshake {
		t.Error(err)
	}
}
