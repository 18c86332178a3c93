package integration

import (
	"errors"
	"net"
	netsmtp "net/smtp"
	"net/textproto"
	"strings"
	"testing"

	"github.com/wneessen/go-mail"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	saslgomail "github.com/saslkit/saslkit/adapters/smtp/gomail"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// smtpValues log in with the Auth of each library that connects and authenticates by
// itself, and pass the library's error through Screen.
var smtpValues = map[string]func(t *testing.T, address string, srv *harness.PostfixServer, auth *sasl.Client) error{
	"net/smtp": func(t *testing.T, address string, srv *harness.PostfixServer, auth *sasl.Client) error {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		defer conn.Close()
		c, err := netsmtp.NewClient(conn, srv.Host)
		if err != nil {
			return err
		}
		if err := c.StartTLS(srv.ClientConfig(0)); err != nil {
			return err
		}
		value := saslsmtp.Auth(t.Context(), srv.Host, auth)
		return value.Screen(c.Auth(value))
	},
	"go-mail": func(t *testing.T, address string, srv *harness.PostfixServer, auth *sasl.Client) error {
		value := saslgomail.Auth(t.Context(), srv.Host, auth)
		client, err := newGoMail(harness.Submission{STARTTLS: address}, false, srv.ClientConfig(0), mail.WithSMTPAuthCustom(value))
		if err != nil {
			return err
		}
		defer client.Close()
		return value.Screen(client.DialWithContext(t.Context()))
	},
}

// TestSASLSMTPScreen shows that Screen keeps the words of Postfix, and withholds them if
// they repeat the password. Postfix does not do that, so somebody in between does.
func TestSASLSMTPScreen(t *testing.T) {
	t.Parallel()
	srv := harness.Postfix(t)
	echo := harness.MITM{
		Server: srv.DovecotSASL.STARTTLS, Upstream: srv.ClientConfig(0), Cert: srv.PKI.ServerCert(srv.Host),
		FromServer: func(line string, _ bool) string {
			return strings.Replace(line, "(reason unavailable)", "wrong-5a5a", 1)
		},
	}.Start(t)
	for library, login := range smtpValues {
		for address, want := range map[string]string{
			srv.DovecotSASL.STARTTLS: "5.7.8 Error: authentication failed: (reason unavailable)",
			srv.Footer.STARTTLS:      "5.7.8 Error: authentication failed: (reason unavailable)\n5.7.8 See https://postfix.test/help\n5.7.8 about this refusal.",
			echo:                     "the server's text is withheld, because it repeats a secret",
		} {
			err := login(t, address, srv, wrong)
			var refused *textproto.Error
			if !errors.As(err, &refused) || refused.Code != 535 || refused.Msg != want || strings.Contains(err.Error(), "5a5a") {
				t.Errorf("%s: %v, want %q", library, err, want)
			}
		}
	}
}

// TestSASLSMTPEcho: the same for a client that exists already and for a Conn.
func TestSASLSMTPEcho(t *testing.T) {
	t.Parallel()
	srv := harness.Postfix(t)
	for library, dial := range smtpLibraries {
		address := harness.MITM{
			Server: srv.DovecotSASL.Implicit, Upstream: srv.ClientConfig(0), Cert: srv.PKI.ServerCert(srv.Host), Implicit: true,
			FromServer: func(line string, _ bool) string {
				return strings.Replace(line, "(reason unavailable)", "wrong-5a5a", 1)
			},
		}.Start(t)
		client, err := dial(t, harness.Submission{Implicit: address}, true, srv.ClientConfig(0))
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.authenticate(t.Context(), wrong)
		if !errors.Is(err, sasl.ErrAuthentication) || !strings.HasSuffix(err.Error(), "(withheld: it repeats a secret)") || strings.Contains(err.Error(), "5a5a") {
			t.Errorf("%s: %v", library, err)
		}
	}
}
