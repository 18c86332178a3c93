package saslsmtp_test

import (
	"context"
	"errors"
	"net"
	netsmtp "net/smtp"
	"testing"

	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestConnConforms runs the conformance kit on a Conn.
func TestConnConforms(t *testing.T) {
	sasltest.TestAdapter(t, sasltest.Adapter{
		Wire:       func(conn net.Conn) sasltest.Wire { return smtptest.NewWire(conn) },
		Conditions: smtptest.Conditions(),
		Malformed:  smtptest.Malformed,
		Dial: func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
			c, err := saslsmtp.NewConn(ctx, conn, smtptest.Host, nil)
			if err != nil {
				return sasl.Result{}, err
			}
			return c.Authenticate(ctx, client)
		},
	})
}

// TestNetConforms runs the conformance kit on a client of net/smtp.
func TestNetConforms(t *testing.T) {
	sasltest.TestAdapter(t, sasltest.Adapter{
		Wire:       func(conn net.Conn) sasltest.Wire { return smtptest.NewWire(conn) },
		Conditions: smtptest.Conditions(),
		Malformed:  smtptest.Malformed,
		Dial: func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			c, err := netsmtp.NewClient(conn, "mail.example.org") // waits for the greeting, without a context
			if !stop() || err != nil {
				conn.Close()
				return sasl.Result{}, errors.Join(sasl.ErrConnection, ctx.Err(), err)
			}
			return saslsmtp.AuthenticateNet(ctx, c, client, saslsmtp.Existing{Host: "mail.example.org"})
		},
	})
}

// TestGoSMTPConforms runs the kit on a client of go-smtp.
func TestGoSMTPConforms(t *testing.T) {
	sasltest.TestAdapter(t, sasltest.Adapter{
		Wire:       func(conn net.Conn) sasltest.Wire { return smtptest.NewWire(conn) },
		Conditions: smtptest.Conditions(),
		Aborts:     sasltest.Closes,
		Dial: func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
			return saslsmtp.Authenticate(ctx, smtp.NewClient(conn), client, saslsmtp.Existing{Host: "mail.example.org"})
		},
		Cannot: map[string]string{
			sasltest.CaseLongMessages:      "the library reads lines of 2000 octets",
			sasltest.CaseAttemptAfterAbort: "a library's loop does not say whether the server took the abort",
		},
		Malformed: smtptest.Malformed,
	})
}
