package saslsmtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	netsmtp "net/smtp"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

var credentials = sasl.Password("user", "pencil")

// opened is a connected client of one of the libraries.
type opened struct {
	authenticate func(ctx context.Context, auth *sasl.Client) (sasl.Result, error)
	submit       func() error
	close        func() error
}

// dialAll connects both libraries and a Conn with both kinds of TLS.
func dialAll(t *testing.T, s *smtptest.Server, config *tls.Config) map[string]opened {
	t.Helper()
	clients := map[string]opened{}
	for kind, address := range map[string]string{"implicit": s.Implicit, "STARTTLS": s.StartTLS} {
		dialGo := smtp.DialStartTLS
		if kind == "implicit" {
			dialGo = smtp.DialTLS
		}
		goClient, err := dialGo(address, config)
		if err != nil {
			t.Fatal(err)
		}
		clients["go-smtp "+kind] = opened{
			func(ctx context.Context, auth *sasl.Client) (sasl.Result, error) {
				return saslsmtp.Authenticate(ctx, goClient, auth, saslsmtp.Existing{Host: smtptest.Host})
			},
			func() error {
				return goClient.SendMail("a@example.org", []string{"b@example.org"}, strings.NewReader("hello"))
			},
			goClient.Close,
		}
		netClient := dialNet(t, kind, address, config)
		clients["net/smtp "+kind] = opened{
			func(ctx context.Context, auth *sasl.Client) (sasl.Result, error) {
				return saslsmtp.AuthenticateNet(ctx, netClient, auth, saslsmtp.Existing{Host: smtptest.Host})
			},
			func() error { return submitNet(netClient) },
			netClient.Close,
		}
		clients["Conn "+kind] = dialConn(t, kind, address, config)
	}
	return clients
}

// dialConn is a Conn, which both libraries' clients submit over in turn.
func dialConn(t *testing.T, kind, address string, config *tls.Config) opened {
	t.Helper()
	dial := saslsmtp.DialStartTLS
	if kind == "implicit" {
		dial = saslsmtp.DialTLS
	}
	c, err := dial(t.Context(), address, &saslsmtp.Options{TLSConfig: config})
	if err != nil {
		t.Fatal(err)
	}
	return opened{
		c.Authenticate,
		func() error {
			if kind == "implicit" {
				return submitNet(c.NetClient())
			}
			return c.Client().SendMail("a@example.org", []string{"b@example.org"}, strings.NewReader("hello"))
		},
		c.Close,
	}
}

func dialNet(t *testing.T, kind, address string, config *tls.Config) *netsmtp.Client {
	t.Helper()
	var conn net.Conn
	var err error
	if kind == "implicit" {
		conn, err = tls.Dial("tcp", address, config)
	} else {
		conn, err = net.Dial("tcp", address)
	}
	if err != nil {
		t.Fatal(err)
	}
	client, err := netsmtp.NewClient(conn, smtptest.Host)
	if err != nil {
		t.Fatal(err)
	}
	if kind != "implicit" {
		if err := client.StartTLS(config); err != nil {
			t.Fatal(err)
		}
	}
	return client
}

func submitNet(client *netsmtp.Client) error {
	if err := errors.Join(client.Mail("a@example.org"), client.Rcpt("b@example.org")); err != nil {
		return err
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	_, err = w.Write([]byte("hello"))
	return errors.Join(err, w.Close())
}

// works submits a message, which only a client that is logged in can.
func works(t *testing.T, s *smtptest.Server, name, user string, client opened) {
	t.Helper()
	if err := client.submit(); err != nil {
		t.Errorf("%s: submission: %v", name, err)
	} else if got := <-s.Mail; got != user+": hello\r\n" {
		t.Errorf("%s: submitted %q", name, got)
	}
	client.close()
}

// TestEveryMechanism logs in with every mechanism and binding, in every way over
// both kinds of TLS, in the round trips that it takes.
func TestEveryMechanism(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	for _, login := range sasltest.AllLogins(false, "") {
		config := server.Client.Clone()
		config.MinVersion, config.MaxVersion = login.Version, login.Version
		config.Certificates = []tls.Certificate{server.User}
		for kind, client := range dialAll(t, server, config) {
			name := login.String() + ", " + kind
			result, err := client.authenticate(t.Context(), login.Client)
			if err != nil || result != login.Want {
				t.Errorf("%s: %+v, %v", name, result, err)
				client.close()
				continue
			}
			if seen := <-server.Logins; seen.Mechanism != result.Mechanism || seen.Binding != result.Binding {
				t.Errorf("%s: the client has %+v, the server %+v", name, result, seen)
			}
			works(t, server, name, login.User, client)
		}
	}
}

// TestRefusals: a refusal leaves the connection in sync, and another attempt
// succeeds on it.
func TestRefusals(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	for name, m := range map[string]sasl.Mechanism{
		"PLAIN, wrong password":  sasl.Plain(sasl.Password("user", "Pencil")),
		"PLAIN, unknown user":    sasl.Plain(sasl.Password("nobody", "pencil")),
		"PLAIN, another authzid": sasl.Plain(credentials.ActingAs("root")),
		"EXTERNAL, nobody":       sasl.External(""),
	} {
		for kind, client := range dialAll(t, server, server.Client) {
			var reply *saslsmtp.Reply
			if _, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}}); !errors.Is(err, sasl.ErrAuthentication) || !errors.As(err, &reply) || reply.Code != 535 {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
			<-server.Refusals
			if _, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}); err != nil {
				t.Errorf("%s, %s, then: %v", name, kind, err)
				continue
			}
			<-server.Logins
			works(t, server, kind, "user", client)
		}
	}
}
