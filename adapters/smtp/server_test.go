package saslsmtp_test

import (
	"context"
	"errors"
	netsmtp "net/smtp"
	"testing"

	gosasl "github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestServerErrors: the answers of this package's server to what it rejects.
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
		"AUTH NTLM":                  "504 5.5.4 Mechanism not offered",
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

// TestLoggedInFails: the client learns what the error of LoggedIn says about it. An
// error without a class, such as one of a database, is not a wrong password.
func TestLoggedInFails(t *testing.T) {
	for name, row := range map[string]struct {
		reason error
		want   string
		class  sasl.Class
	}{
		"no class":  {errors.New("no database"), "454 4.7.0 Temporary authentication failure", sasl.ErrTemporary},
		"config":    {sasl.ErrConfig, "454 4.7.0 Temporary authentication failure", sasl.ErrTemporary},
		"temporary": {sasl.ErrTemporary, "454 4.7.0 Temporary authentication failure", sasl.ErrTemporary},
		"cut":       {sasl.ErrConnection, "454 4.7.0 Temporary authentication failure", sasl.ErrTemporary},
		"user":      {sasl.ErrAuthorization, "535 5.7.8 Authentication failed", sasl.ErrAuthentication},
		"own":       {&smtp.SMTPError{Code: 525, EnhancedCode: smtp.EnhancedCode{5, 7, 13}, Message: "Gone"}, "525 5.7.13 Gone", sasl.ErrAuthorization},
	} {
		server := smtptest.Serve(t, sasltest.AllMechanisms())
		server.Reject = row.reason
		c, err := saslsmtp.DialTLS(t.Context(), server.Implicit, &saslsmtp.Options{TLSConfig: server.Client})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(credentials)}})
		var reply *saslsmtp.Reply
		if sasl.ClassOf(err) != row.class || !errors.As(err, &reply) || reply.Error() != row.want {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
		if reason := <-server.Refusals; !errors.Is(reason, row.reason) || sasl.ClassOf(reason) == "" {
			t.Errorf("%s: the record is %v", name, reason)
		}
		c.Close()
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
