package saslimap

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestOpenErrors shows the errors for invalid addresses, for a port without a server,
// and for a context that ends while a server is silent.
func TestOpenErrors(t *testing.T) {
	for _, address := range []string{"", "mail.example.org", ":993", "mail.example.org:", "a:b:c"} {
		if _, err := DialTLS(t.Context(), address, nil); !errors.Is(err, sasl.ErrConfig) {
			t.Errorf("%q: %v", address, err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	if _, err := DialStartTLS(t.Context(), address, nil); !errors.Is(err, sasl.ErrConnection) {
		t.Errorf("nobody there: %v", err)
	}
	for name, open := range map[string]func(context.Context, net.Conn) error{
		"greeting": func(ctx context.Context, conn net.Conn) error { _, err := NewConn(ctx, conn, "", nil); return err },
		"STARTTLS": func(ctx context.Context, conn net.Conn) error { _, err := NewStartTLS(ctx, conn, "", nil); return err },
		"handshake": func(ctx context.Context, conn net.Conn) error {
			_, err := NewConn(ctx, tls.Client(conn, &tls.Config{ServerName: "x"}), "x", nil)
			return err
		},
		"cut before": func(ctx context.Context, conn net.Conn) error {
			conn.Close()
			_, err := NewConn(ctx, conn, "", nil)
			return err
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		err := open(ctx, sasltest.Scripted(t))
		if !errors.Is(err, sasl.ErrConnection) || name != "cut before" && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

// TestSilence: a server that does not go on, at any step, ends the step after its
// StepTimeout, and sees the end of the connection.
func TestSilence(t *testing.T) {
	newConn := func(ctx context.Context, conn net.Conn, options *Options) (*Conn, error) {
		return NewConn(ctx, conn, "mail.example.org", options)
	}
	startTLS := func(ctx context.Context, conn net.Conn, options *Options) (*Conn, error) {
		return NewStartTLS(ctx, conn, "mail.example.org", options)
	}
	dialTLS := func(ctx context.Context, conn net.Conn, options *Options) (*Conn, error) {
		options.DialContext = func(context.Context, string, string) (net.Conn, error) { return conn, nil }
		return DialTLS(ctx, "mail.example.org:993", options)
	}
	for _, row := range []struct {
		name  string
		open  func(context.Context, net.Conn, *Options) (*Conn, error)
		lines []string
		step  transport.Step // "" = the authentication
	}{
		{"after accept", newConn, nil, "greeting"},
		{"after accept, STARTTLS", startTLS, nil, "greeting"},
		{"within the greeting", newConn, nil, "greeting"},
		{"after the greeting", newConn, []string{"* OK hi"}, "capabilities"},
		{"after STARTTLS", startTLS, []string{"* OK hi", "<A1 STARTTLS"}, "starttls"},
		{"at the handshake", startTLS, []string{"* OK hi", "<A1 STARTTLS", "A1 OK go"}, "handshake"},
		{"at the handshake, implicit TLS", dialTLS, nil, "handshake"},
		{"at the capability list", newConn, []string{"* OK hi", "<A1 CAPABILITY", "* 1 EXISTS"}, "capabilities"},
		{"after AUTHENTICATE", newConn, []string{"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi", "<A1 AUTHENTICATE PLAIN"}, ""},
		{"after the message", newConn, []string{"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi", "<A1 AUTHENTICATE PLAIN", "+ ", "<" + plainMessage}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			conn := &closing{Conn: sasltest.Scripted(t, row.lines...)}
			if row.name == "within the greeting" {
				near, far := sasltest.Pair(t)
				io.WriteString(far, "* OK h")
				conn.Conn = near
			}
			began := time.Now()
			c, err := row.open(t.Context(), conn, &Options{StepTimeout: 50 * time.Millisecond})
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

// TestNoTimeoutRemains: after the hand-over a server may take longer than a step.
func TestNoTimeoutRemains(t *testing.T) {
	near, far := sasltest.Pair(t)
	go func() {
		io.WriteString(far, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n")
		far.Read(make([]byte, 256))
		io.WriteString(far, "A1 OK [CAPABILITY IMAP4rev1] welcome\r\n")
		far.Read(make([]byte, 256)) // NOOP
		time.Sleep(150 * time.Millisecond)
		io.WriteString(far, "T1 OK done\r\n")
	}()
	ctx, cancel := context.WithCancel(t.Context())
	c, err := NewConn(ctx, near, "", &Options{StepTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(ctx, plain); err != nil {
		t.Fatal(err)
	}
	client := c.Client(nil)
	defer client.Close()
	defer time.AfterFunc(5*time.Second, func() { near.Close() }).Stop()
	cancel()
	if err := client.Noop().Wait(); err != nil {
		t.Error(err)
	}
}

// TestDialOptions: the connection goes to Address by way of DialContext, and the
// dialled host is the name that is verified.
func TestDialOptions(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for _, row := range []struct {
		address string
		dial    func(context.Context, string, *Options) (*Conn, error)
	}{{server.implicit, DialTLS}, {server.startTLS, DialStartTLS}} {
		config := &tls.Config{RootCAs: server.client.RootCAs}
		var dialled string
		options := &Options{TLSConfig: config, Address: row.address, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled = address
			return new(net.Dialer).DialContext(ctx, network, address)
		}}
		c, err := row.dial(t.Context(), host+":993", options)
		if err != nil {
			t.Fatal(err)
		}
		if info := c.ServerInfo(); dialled != row.address || info.Host != host || !info.Secure || info.Service != "imap" || info.Port != port(row.address) {
			t.Errorf("dialled %s: %+v", dialled, info)
		}
		c.Close()
		if _, err := row.dial(t.Context(), "other.example.org:993", options); !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("another host: %v", err)
		}
	}
}

func port(address string) int {
	_, port, _ := net.SplitHostPort(address)
	number, _ := strconv.Atoi(port)
	return number
}
