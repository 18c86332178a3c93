package saslldap_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// at is a connection whose peer has a port.
type at struct {
	net.Conn
	port int
}

func (c at) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: c.port} }

const (
	useLDAPS = "if this is the port for TLS from the first octet, use an ldaps URL"
	useLDAP  = "if this is the port for StartTLS, use an ldap URL"
)

// TestOtherProtocol: the first octets of a server that is not of LDAP, or of LDAP with
// TLS, end the connection at once, and the error shows what the server said or names
// the right scheme.
func TestOtherProtocol(t *testing.T) {
	for said, want := range map[string]string{
		"HTTP/1.1 400 Bad Request\r\n\r\n":         `protocol error: the server sent an invalid LDAP message: it begins with "HTTP/1.1 400 Bad Request"; check the port`,
		"* OK IMAP4rev1 ready\r\n":                 `protocol error: the server sent an invalid LDAP message: it begins with "* OK IMAP4rev1 ready"; check the port`,
		"220 mail.example.org ESMTP\x1b[2J\r\n":    `protocol error: the server sent an invalid LDAP message: it begins with "220 mail.example.org ESMTP[2J"; check the port`,
		"\x15\x03\x03\x00\x02\x02\x46":             "protocol error: the server speaks TLS where LDAP was expected; " + useLDAPS,
		"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03": "protocol error: the server speaks TLS where LDAP was expected; " + useLDAPS,
		"": "connection error: the server closed the connection without an answer: EOF; " + useLDAPS,
	} {
		for way, open := range map[string]func(ctx context.Context, conn net.Conn) error{
			"StartTLS": func(ctx context.Context, conn net.Conn) error {
				_, err := saslldap.NewStartTLS(ctx, conn, host, nil)
				return err
			},
			"without TLS": func(ctx context.Context, conn net.Conn) error {
				client, err := saslldap.NewConn(ctx, conn, host, nil)
				if err == nil {
					_, err = client.ServerInfo(ctx)
				}
				return err
			},
		} {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				go func() {
					newWire(far).request()
					io.WriteString(far, said)
					if said == "" {
						far.Close()
					}
				}()
				start := time.Now()
				err := open(t.Context(), near)
				var step *transport.StepError
				if !errors.As(err, &step) || step.Err.Error() != want || time.Since(start) != 0 {
					t.Errorf("%s: %v after %s, want %s", way, err, time.Since(start), want)
				}
				far.Close()
			})
		}
	}
}

// TestGarbageLater: what a server says after it has been heard is not shown, because
// it may be anything.
func TestGarbageLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.next(0)
		go p.conn.Write([]byte("you said pencil\r\n"))
		if got := (<-outcome).err; !errors.Is(got, sasl.ErrProtocol) || strings.Contains(got.Error(), "you said") {
			t.Error(got)
		}
	})
}

// TestSilentPort: silence on the port of the other scheme ends within seconds, and on
// another port at the limit. The error names the right scheme. StepTimeout may be
// shorter, and a longer one counts on other ports.
func TestSilentPort(t *testing.T) {
	for name, row := range map[string]struct {
		url   string
		port  int
		limit time.Duration
		after time.Duration
		want  string
	}{
		"ldap to 636":                {"ldap", 636, 0, 5 * time.Second, useLDAPS},
		"ldap to 636, no limit":      {"ldap", 636, -1, 5 * time.Second, useLDAPS},
		"ldap to 636, a short limit": {"ldap", 636, time.Second, time.Second, useLDAPS},
		"ldap to 389":                {"ldap", 389, 0, 5 * time.Minute, useLDAPS},
		"ldaps to 389":               {"ldaps", 389, 0, 5 * time.Second, useLDAP},
		"ldaps to 389, no limit":     {"ldaps", 389, -1, 5 * time.Second, useLDAP},
		"ldaps to 636":               {"ldaps", 636, 0, 30 * time.Second, useLDAP},
		"ldaps to 636, a limit":      {"ldaps", 636, time.Minute, time.Minute, useLDAP},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				defer far.Close()
				go io.Copy(io.Discard, far)
				options := &saslldap.Options{StepTimeout: row.limit, DialContext: func(context.Context, string, string) (net.Conn, error) {
					return at{near, row.port}, nil
				}}
				start := time.Now()
				_, err := saslldap.DialURL(t.Context(), row.url+"://"+host, options)
				if took := time.Since(start); !errors.Is(err, sasl.ErrConnection) || !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), row.want) || took != row.after {
					t.Errorf("after %s: %v", took, err)
				}
			})
		})
	}
}

// TestNoLimit: without a limit silence does not end a step on the right port.
func TestNoLimit(t *testing.T) {
	for scheme, port := range map[string]int{"ldap": 389, "ldaps": 636} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			go io.Copy(io.Discard, far)
			options := &saslldap.Options{StepTimeout: -1, DialContext: func(context.Context, string, string) (net.Conn, error) {
				return at{near, port}, nil
			}}
			failed := make(chan error, 1)
			go func() {
				_, err := saslldap.DialURL(t.Context(), scheme+"://"+host, options)
				failed <- err
			}()
			select {
			case err := <-failed:
				t.Error(err)
			case <-time.After(time.Hour):
				far.Close()
				<-failed
			}
		})
	}
}

// TestNotTLS: a server that answers a handshake with something else, or hangs up, is
// perhaps on the port of the other scheme. A certificate is another matter.
func TestNotTLS(t *testing.T) {
	certificate, _ := sasltest.Certificate(t, host)
	for name, row := range map[string]struct {
		talk  func(conn net.Conn) error
		class sasl.Class
		hint  bool
	}{
		"LDAP":          {func(conn net.Conn) error { _, err := conn.Write(message(0, notice(2))); return err }, sasl.ErrConnection, true},
		"a greeting":    {func(conn net.Conn) error { _, err := io.WriteString(conn, "220 hello\r\n"); return err }, sasl.ErrConnection, true},
		"half a record": {func(conn net.Conn) error { _, err := io.WriteString(conn, "\x16\x03\x03"); return err }, sasl.ErrConnection, true},
		"it hangs up":   {func(conn net.Conn) error { return conn.Close() }, sasl.ErrConnection, true},
		"unknown authority": {func(conn net.Conn) error {
			tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}}).Handshake()
			return nil
		}, sasl.ErrSecurity, false},
	} {
		address := serve(t, "tcp", "127.0.0.1:0", row.talk)
		_, err := saslldap.DialURL(t.Context(), "ldaps://"+host, &saslldap.Options{Address: address})
		var step *transport.StepError
		if sasl.ClassOf(err) != row.class || strings.Contains(err.Error(), useLDAP) != row.hint || !errors.As(err, &step) || step.Step != "handshake" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
