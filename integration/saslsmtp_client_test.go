package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netsmtp "net/smtp"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/wneessen/go-mail"
	mailsmtp "github.com/wneessen/go-mail/smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	saslgomail "github.com/saslkit/saslkit/adapters/smtp/gomail"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// smtpClient is a client of one of the libraries, connected and with TLS, not
// yet authenticated.
type smtpClient struct {
	authenticate func(context.Context, *sasl.Client) (sasl.Result, error)
	submit       func(recipient, subject string) error
}

// dialSMTPClient connects to one of the addresses of a service: TLS from the
// first byte, STARTTLS, or, without a config, neither.
type dialSMTPClient func(t *testing.T, at harness.Submission, implicit bool, config *tls.Config) (smtpClient, error)

var smtpLibraries = map[string]dialSMTPClient{
	"go-smtp": goSMTP, "net/smtp": netSMTP, "go-mail": goMail,
	"Conn to go-smtp": handedOver(func(c *saslsmtp.Conn, recipient, subject string) error {
		return c.Client().SendMail("sender@client.test", []string{recipient}, strings.NewReader(mailText(subject)))
	}),
	"Conn to net/smtp": handedOver(func(c *saslsmtp.Conn, recipient, subject string) error {
		return netSubmit(c.NetClient(), recipient, subject)
	}),
	"Conn to go-mail": handedOver(func(c *saslsmtp.Conn, recipient, subject string) error {
		host := c.ServerInfo().Host
		client, err := mail.NewClient(host)
		if err != nil {
			return err
		}
		message, err := goMailMessage(recipient, subject)
		if err != nil {
			return err
		}
		smtpClient, err := mailsmtp.NewClient(c.HandOver(), host)
		if err != nil {
			return err
		}
		return client.SendWithSMTPClient(smtpClient, message)
	}),
}

// handedOver is a Conn, which a library's client submits over.
func handedOver(submit func(c *saslsmtp.Conn, recipient, subject string) error) dialSMTPClient {
	return func(t *testing.T, at harness.Submission, implicit bool, config *tls.Config) (smtpClient, error) {
		var (
			c       *saslsmtp.Conn
			options = &saslsmtp.Options{TLSConfig: config}
			err     error
		)
		switch {
		case config == nil:
			var conn net.Conn
			if conn, err = net.Dial("tcp", at.STARTTLS); err == nil {
				c, err = saslsmtp.NewConn(t.Context(), conn, smtpHost(config), options)
			}
		case implicit:
			c, err = saslsmtp.DialTLS(t.Context(), at.Implicit, options)
		default:
			c, err = saslsmtp.DialStartTLS(t.Context(), at.STARTTLS, options)
		}
		if err != nil {
			return smtpClient{}, err
		}
		t.Cleanup(func() { c.Close() })
		return smtpClient{
			authenticate: c.Authenticate,
			submit:       func(recipient, subject string) error { return submit(c, recipient, subject) },
		}, nil
	}
}

// smtpHost is the name that the server is to have, also without TLS, which
// would prove the name.
func smtpHost(config *tls.Config) string {
	if config == nil {
		return "127.0.0.1"
	}
	return config.ServerName
}

func goSMTP(t *testing.T, at harness.Submission, implicit bool, config *tls.Config) (smtpClient, error) {
	var (
		c   *smtp.Client
		err error
	)
	switch {
	case config == nil:
		c, err = smtp.Dial(at.STARTTLS)
	case implicit:
		c, err = smtp.DialTLS(at.Implicit, config)
	default:
		c, err = smtp.DialStartTLS(at.STARTTLS, config)
	}
	if err != nil {
		return smtpClient{}, err
	}
	t.Cleanup(func() { c.Close() })
	return smtpClient{
		authenticate: func(ctx context.Context, auth *sasl.Client) (sasl.Result, error) {
			return saslsmtp.Authenticate(ctx, c, auth, saslsmtp.Existing{Host: smtpHost(config)})
		},
		submit: func(recipient, subject string) error {
			return c.SendMail("sender@client.test", []string{recipient}, strings.NewReader(mailText(subject)))
		},
	}, nil
}

func netSMTP(t *testing.T, at harness.Submission, implicit bool, config *tls.Config) (smtpClient, error) {
	address := at.STARTTLS
	if implicit {
		address = at.Implicit
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return smtpClient{}, err
	}
	t.Cleanup(func() { conn.Close() })
	if implicit {
		conn = tls.Client(conn, config)
	}
	c, err := netsmtp.NewClient(conn, smtpHost(config))
	if err != nil {
		return smtpClient{}, err
	}
	if config != nil && !implicit {
		if err := c.StartTLS(config); err != nil {
			return smtpClient{}, err
		}
	}
	return smtpClient{
		authenticate: func(ctx context.Context, auth *sasl.Client) (sasl.Result, error) {
			return saslsmtp.AuthenticateNet(ctx, c, auth, saslsmtp.Existing{Host: smtpHost(config)})
		},
		submit: func(recipient, subject string) error { return netSubmit(c, recipient, subject) },
	}, nil
}

func netSubmit(c *netsmtp.Client, recipient, subject string) error {
	if err := errors.Join(c.Mail("sender@client.test"), c.Rcpt(recipient)); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(w, mailText(subject))
	return errors.Join(err, w.Close())
}

func mailText(subject string) string { return "Subject: " + subject + "\r\n\r\nSubmitted.\r\n" }

func goMail(t *testing.T, at harness.Submission, implicit bool, config *tls.Config) (smtpClient, error) {
	options := []mail.Option{mail.WithSMTPAuth(mail.SMTPAuthNoAuth)}
	if config == nil {
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	client, err := newGoMail(at, implicit, config, options...)
	if err != nil {
		return smtpClient{}, err
	}
	c, err := client.DialToSMTPClientWithContext(t.Context())
	if err != nil {
		return smtpClient{}, err
	}
	t.Cleanup(func() { c.Close() })
	return smtpClient{
		authenticate: func(ctx context.Context, auth *sasl.Client) (sasl.Result, error) {
			return saslgomail.Authenticate(ctx, c, auth, saslsmtp.Existing{Host: smtpHost(config)})
		},
		submit: func(recipient, subject string) error {
			message, err := goMailMessage(recipient, subject)
			if err != nil {
				return err
			}
			return client.SendWithSMTPClient(c, message)
		},
	}, nil
}

func newGoMail(at harness.Submission, implicit bool, config *tls.Config, options ...mail.Option) (*mail.Client, error) {
	options = append(options, mail.WithDialContextFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
		if !implicit {
			return new(net.Dialer).DialContext(ctx, network, at.STARTTLS)
		}
		return (&tls.Dialer{Config: config}).DialContext(ctx, network, at.Implicit)
	}))
	if implicit {
		options = append(options, mail.WithSSL())
	}
	if config != nil {
		options = append(options, mail.WithTLSConfig(config))
	}
	return mail.NewClient(smtpHost(config), options...)
}

func goMailMessage(recipient, subject string) (*mail.Msg, error) {
	message := mail.NewMsg()
	if err := errors.Join(message.From("sender@client.test"), message.To(recipient)); err != nil {
		return nil, err
	}
	message.Subject(subject)
	message.SetBodyString(mail.TypeTextPlain, "Submitted.\r\n")
	return message, nil
}

// everySMTPWay runs a test with every library, over both kinds and both
// versions of TLS.
func everySMTPWay(t *testing.T, test func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16)) {
	for library, dial := range smtpLibraries {
		for kind, implicit := range map[string]bool{"implicit": true, "STARTTLS": false} {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				t.Run(library+"/"+kind+"/"+tls.VersionName(version), func(t *testing.T) {
					t.Parallel()
					test(t, func(at harness.Submission, config *tls.Config) smtpClient {
						t.Helper()
						client, err := dial(t, at, implicit, config)
						if err != nil {
							t.Fatal(err)
						}
						return client
					}, version)
				})
			}
		}
	}
}
