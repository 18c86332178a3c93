package saslsmtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestOpenErrors: invalid addresses, nobody there, and a context that ends.
func TestOpenErrors(t *testing.T) {
	for _, address := range []string{"", "mail.example.org", ":465", "mail.example.org:", "a:b:c"} {
		if _, err := saslsmtp.DialTLS(t.Context(), address, nil); !errors.Is(err, sasl.ErrConfig) {
			t.Errorf("%q: %v", address, err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	if _, err := saslsmtp.DialStartTLS(t.Context(), address, nil); !errors.Is(err, sasl.ErrConnection) {
		t.Errorf("nobody there: %v", err)
	}
	for name, open := range map[string]func(context.Context, net.Conn, string, *saslsmtp.Options) (*saslsmtp.Conn, error){
		"NewConn": saslsmtp.NewConn, "NewStartTLS": saslsmtp.NewStartTLS,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := open(ctx, sasltest.Scripted(t), "", nil); !errors.Is(err, sasl.ErrConnection) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

// TestSilence: a server that does not go on, at any step, ends the step after its
// StepTimeout, and sees the end of the connection.
func TestSilence(t *testing.T) {
	type opener = func(context.Context, net.Conn, *saslsmtp.Options) (*saslsmtp.Conn, error)
	newConn := func(ctx context.Context, conn net.Conn, options *saslsmtp.Options) (*saslsmtp.Conn, error) {
		return saslsmtp.NewConn(ctx, conn, smtptest.Host, options)
	}
	startTLS := func(ctx context.Context, conn net.Conn, options *saslsmtp.Options) (*saslsmtp.Conn, error) {
		return saslsmtp.NewStartTLS(ctx, conn, smtptest.Host, options)
	}
	dialTLS := func(ctx context.Context, conn net.Conn, options *saslsmtp.Options) (*saslsmtp.Conn, error) {
		options.DialContext = func(context.Context, string, string) (net.Conn, error) { return conn, nil }
		return saslsmtp.DialTLS(ctx, "mail.example.org:465", options)
	}
	const offer = "250-mail.example.org\r\n250-STARTTLS\r\n250 AUTH PLAIN"
	for _, row := range []struct {
		name  string
		open  opener
		lines []string
		step  transport.Step // "" = the authentication
	}{
		{"after accept", newConn, nil, "greeting"},
		{"after accept, STARTTLS", startTLS, nil, "greeting"},
		{"within the greeting", newConn, []string{"220-hi"}, "greeting"},
		{"after the greeting", newConn, []string{"220 hi"}, "capabilities"},
		{"after the greeting, STARTTLS", startTLS, []string{"220 hi"}, "capabilities"},
		{"within the capability list", newConn, []string{"220 hi", ehlo, "250-mail.example.org"}, "capabilities"},
		{"after STARTTLS", startTLS, []string{"220 hi", ehlo, offer, "<STARTTLS"}, "starttls"},
		{"at the handshake", startTLS, []string{"220 hi", ehlo, offer, "<STARTTLS", "220 go"}, "handshake"},
		{"at the handshake, implicit TLS", dialTLS, nil, "handshake"},
		{"after AUTH", newConn, []string{"220 hi", ehlo, offer, "<AUTH PLAIN " + plainMessage}, ""},
		{"within a refusal", newConn, []string{"220 hi", ehlo, offer, "<AUTH PLAIN " + plainMessage, "535-no"}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			conn := &closing{Conn: sasltest.Scripted(t, row.lines...)}
			began := time.Now()
			c, err := row.open(t.Context(), conn, &saslsmtp.Options{StepTimeout: 50 * time.Millisecond})
			if row.step == "" && err == nil {
				_, err = c.Authenticate(t.Context(), plain)
			}
			var step *transport.StepError
			if sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &step) != (row.step != "") || step != nil && step.Step != row.step {
				t.Errorf("%v, want step %q", err, row.step)
			}
			if !conn.closed.Load() || time.Since(began) > 5*time.Second {
				t.Errorf("closed: %t, after %s", conn.closed.Load(), time.Since(began))
			}
		})
	}
}

// closing is a connection that knows whether it was closed.
type closing struct {
	net.Conn
	closed atomic.Bool
}

func (c *closing) Close() error {
	c.closed.Store(true)
	return c.Conn.Close()
}

// TestDialOptions: the connection goes to Address by way of DialContext, and the
// dialled host is the name that is verified.
func TestDialOptions(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	for _, row := range []struct {
		address string
		dial    func(context.Context, string, *saslsmtp.Options) (*saslsmtp.Conn, error)
	}{{server.Implicit, saslsmtp.DialTLS}, {server.StartTLS, saslsmtp.DialStartTLS}} {
		var dialled string
		options := &saslsmtp.Options{
			TLSConfig: &tls.Config{RootCAs: server.Client.RootCAs}, Address: row.address, EnforcesBinding: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				dialled = address
				return new(net.Dialer).DialContext(ctx, network, address)
			},
		}
		c, err := row.dial(t.Context(), smtptest.Host+":465", options)
		if err != nil {
			t.Fatal(err)
		}
		if info := c.ServerInfo(); dialled != row.address || info.Host != smtptest.Host || !info.Secure || info.Service != "smtp" || !info.EnforcesBinding || info.Port == 0 {
			t.Errorf("dialled %s: %+v", dialled, info)
		}
		c.Close()
		if _, err := row.dial(t.Context(), "other.example.org:465", options); !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("another host: %v", err)
		}
	}
}

// TestNotAuthenticatedTwice: a refusal allows another attempt, a success does not.
func TestNotAuthenticatedTwice(t *testing.T) {
	c, err := saslsmtp.NewConn(t.Context(), sasltest.Scripted(t, "220 hi", ehlo, "250-mail.example.org\r\n250 AUTH PLAIN",
		"<AUTH PLAIN "+plainMessage, "535 5.7.8 no", "<AUTH PLAIN "+plainMessage, "235 yes"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(t.Context(), plain); !errors.Is(err, sasl.ErrAuthentication) {
		t.Error(err)
	}
	if _, err := c.Authenticate(t.Context(), plain); err != nil {
		t.Error(err)
	}
	if _, err := c.Authenticate(t.Context(), plain); !errors.Is(err, sasl.ErrConfig) {
		t.Errorf("once more: %v", err)
	}
}

// TestNotAuthenticatedAfterHandOver: the connection belongs to the other client.
func TestNotAuthenticatedAfterHandOver(t *testing.T) {
	c, err := saslsmtp.NewConn(t.Context(), sasltest.Scripted(t, "220 hi", ehlo, "250-mail.example.org\r\n250 AUTH PLAIN"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.HandOver()
	if _, err := c.Authenticate(t.Context(), plain); !errors.Is(err, sasl.ErrConfig) {
		t.Error(err)
	}
}
