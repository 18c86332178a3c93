package saslsmtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	netsmtp "net/smtp"
	"net/textproto"
	"strings"
	"testing"

	gosasl "github.com/emersion/go-sasl"
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

// dialAll connects both libraries with both kinds of TLS.
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
				return saslsmtp.Authenticate(ctx, goClient, auth, saslsmtp.Server{Host: smtptest.Host})
			},
			func() error {
				return goClient.SendMail("a@example.org", []string{"b@example.org"}, strings.NewReader("hello"))
			},
			goClient.Close,
		}
		netClient := dialNet(t, kind, address, config)
		clients["net/smtp "+kind] = opened{
			func(ctx context.Context, auth *sasl.Client) (sasl.Result, error) {
				return saslsmtp.AuthenticateNet(ctx, netClient, auth, saslsmtp.Server{Host: smtptest.Host})
			},
			func() error { return submitNet(netClient) },
			netClient.Close,
		}
	}
	return clients
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

// TestEveryMechanism logs in with every mechanism and binding, with both
// libraries over both kinds of TLS, in the round trips that it takes.
func TestEveryMechanism(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	mechanisms := append(sasl.PasswordMechanisms(credentials), sasl.Anonymous("sirhc"), sasl.External(""))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		bindings := []string{"tls-exporter", "tls-server-end-point"}
		if version == tls.VersionTLS12 {
			bindings = append(bindings, "tls-unique")
		}
		config := server.Client.Clone()
		config.MinVersion, config.MaxVersion = version, version
		config.Certificates = []tls.Certificate{server.User}
		for _, m := range mechanisms {
			types, roundTrips, user := []string{""}, 1, "user"
			if strings.HasPrefix(m.Name(), "SCRAM-") {
				roundTrips = 3
			}
			if strings.HasSuffix(m.Name(), "-PLUS") {
				types = bindings
			}
			if m.Name() == "ANONYMOUS" {
				user = "guest"
			}
			for _, binding := range types {
				for kind, client := range dialAll(t, server, config) {
					name := tls.VersionName(version) + " " + kind + " " + m.Name() + " " + binding
					auth := &sasl.Client{Mechanisms: []sasl.Mechanism{m}, BindingTypes: []string{binding}}
					result, err := client.authenticate(t.Context(), auth)
					if err != nil {
						t.Errorf("%s: %v", name, err)
						client.close()
						continue
					}
					if seen := <-server.Logins; seen.Mechanism != m.Name() || seen.Binding != binding || result.Binding != binding || result.RoundTrips != roundTrips {
						t.Errorf("%s: the client has %+v, the server %+v", name, result, seen)
					}
					works(t, server, name, user, client)
				}
			}
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

// TestServerErrors: what a server of ours answers to what it does not take.
func TestServerErrors(t *testing.T) {
	auth := sasltest.AllMechanisms()
	auth.Mechanisms = append(auth.Mechanisms, serverFirst{})
	server := smtptest.Serve(t, auth)
	client := dialNet(t, "implicit", server.Implicit, server.Client)
	defer client.Close()
	if err := client.Hello("localhost"); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"AUTH LOGIN":                 "504 5.5.4 Mechanism not offered",
		"AUTH PLAIN " + plainMessage: "535 5.7.8 Authentication failed",
		"AUTH PLAIN YWJj":            "501 5.5.2 Malformed authentication exchange",
		"AUTH X-SERVER-FIRST YWJj":   "501 5.5.2 Malformed authentication exchange",
	} {
		id, err := client.Text.Cmd("%s", line)
		if err != nil {
			t.Fatal(err)
		}
		client.Text.StartResponse(id)
		got, err := client.Text.ReadLine()
		client.Text.EndResponse(id)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", line, got, err, want)
		}
		<-server.Refusals
	}
}

// serverFirst is a mechanism in which the server speaks first.
type serverFirst struct{}

func (serverFirst) Name() string                       { return "X-SERVER-FIRST" }
func (serverFirst) New(sasl.ServerTerms) sasl.Exchange { return serverFirst{} }
func (serverFirst) Identity() sasl.Identity            { return sasl.Identity{} }
func (serverFirst) Step(_ context.Context, in []byte) (out []byte, done bool, err error) {
	if in != nil {
		return nil, false, sasl.ErrProtocol // RFC 4422 s5 item 2a: no initial response
	}
	return []byte("challenge"), false, nil
}

// TestForeignClients: the libraries' own PLAIN clients, which do not know of
// our server.
func TestForeignClients(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	goClient, err := smtp.DialTLS(server.Implicit, server.Client)
	if err != nil {
		t.Fatal(err)
	}
	defer goClient.Close()
	if err := goClient.Auth(gosasl.NewPlainClient("", "user", "wrong")); err == nil {
		t.Error("go-smtp: no error for a wrong password")
	}
	<-server.Refusals
	if err := goClient.Auth(gosasl.NewPlainClient("", "user", "pencil")); err != nil {
		t.Errorf("go-smtp: %v", err)
	}
	<-server.Logins
	netClient := dialNet(t, "implicit", server.Implicit, server.Client)
	defer netClient.Close()
	if err := netClient.Auth(netsmtp.PlainAuth("", "user", "pencil", smtptest.Host)); err != nil {
		t.Errorf("net/smtp: %v", err)
	}
	<-server.Logins
}

// TestAuthValue: the value for what accepts nothing else.
func TestAuthValue(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	for name, row := range map[string]struct {
		auth  *sasl.Client
		host  string
		class sasl.Class // "" = success
	}{
		"ladder":         {&sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}, smtptest.Host, ""},
		"PLAIN":          {&sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(credentials)}}, smtptest.Host, ""},
		"empty":          {&sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Anonymous("")}}, smtptest.Host, ""},
		"another name":   {&sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}, "other.example.org", sasl.ErrPolicy},
		"binding needed": {&sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials), Binding: sasl.RequireBinding}, smtptest.Host, sasl.ErrPolicy},
	} {
		client := dialNet(t, "STARTTLS", server.StartTLS, server.Client)
		err := client.Auth(saslsmtp.Auth(t.Context(), row.host, row.auth))
		if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			<-server.Logins
		}
		client.Close()
	}
	client := dialNet(t, "STARTTLS", server.StartTLS, server.Client)
	defer client.Close()
	err := client.Auth(saslsmtp.Auth(t.Context(), smtptest.Host, &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("user", "wrong"))}}))
	var refused *textproto.Error
	if !errors.As(err, &refused) || refused.Code != 535 {
		t.Errorf("wrong password: %v", err)
	}
	<-server.Refusals
}

// TestAuthValueEarlySuccess: a server that announces success at once, and one
// that does before it has the first message.
func TestAuthValueEarlySuccess(t *testing.T) {
	scram := sasl.SCRAM(sasl.SHA256, credentials)
	for name, m := range map[string]sasl.Mechanism{
		"before the proof":         scram,
		"before the first message": sasl.Plain(sasl.Password("user", strings.Repeat("p", 400))),
	} {
		near, far := net.Pipe()
		go func() {
			text := textproto.NewConn(far)
			for _, answer := range []string{"220 hi", "250-mail.example.org\r\n250 AUTH " + m.Name(), "235 welcome", "501 what", "221 bye"} {
				text.PrintfLine("%s", answer)
				text.ReadLine()
			}
			text.Close()
		}()
		client, err := netsmtp.NewClient(near, smtptest.Host)
		if err != nil {
			t.Fatal(err)
		}
		auth := &sasl.Client{Mechanisms: []sasl.Mechanism{m}, Allow: plain.Allow}
		if err := client.Auth(saslsmtp.Auth(t.Context(), smtptest.Host, auth)); !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("%s: %v", name, err)
		}
		client.Close()
	}
}
