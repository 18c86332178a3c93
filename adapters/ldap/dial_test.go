package saslldap_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// startTLSRequest and startTLSResponse come from OpenLDAP's client and server.
const (
	startTLSRequest  = "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
	startTLSResponse = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
)

// serve runs a server for one connection and returns its address.
func serve(t *testing.T, network, address string, talk func(conn net.Conn) error) string {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			defer conn.Close()
			err = talk(conn)
		}
		done <- err
	}()
	t.Cleanup(func() {
		listener.Close()
		if err := <-done; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// readStartTLS reads the request and compares every octet.
func readStartTLS(conn net.Conn) error {
	got := make([]byte, len(startTLSRequest))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != startTLSRequest {
		return errors.Join(err, errors.New("not the request for StartTLS: "+string(got)))
	}
	return nil
}

// bindable is the server of a bind with PLAIN that succeeds.
func bindable(conn net.Conn) error {
	w := newWire(conn)
	if err := w.Greet("PLAIN", true); err != nil {
		return err
	}
	if _, credentials, err := w.ReadInitiate(); err != nil || string(credentials) != "\x00alice\x00pencil" {
		return errors.Join(err, errors.New("credentials: "+string(credentials)))
	}
	if err := w.Succeed(nil); err != nil {
		return err
	}
	io.Copy(io.Discard, conn)
	return nil
}

// TestDialURL dials each scheme, and binds with PLAIN, which needs a connection
// that is Secure.
func TestDialURL(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, host)
	server := &tls.Config{Certificates: []tls.Certificate{certificate}}
	socket := filepath.Join(t.TempDir(), "ldapi")
	for text, address := range map[string]string{
		"ldaps://" + host: serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) error { return bindable(tls.Server(conn, server)) }),
		"LDAP://" + host: serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) error {
			if err := readStartTLS(conn); err != nil {
				return err
			}
			io.WriteString(conn, startTLSResponse)
			return bindable(tls.Server(conn, server))
		}),
		"ldapi://" + url.PathEscape(socket) + "/": serve(t, "unix", socket, bindable),
	} {
		client, err := saslldap.DialURL(t.Context(), text, &saslldap.Options{Address: address, TLSConfig: &tls.Config{RootCAs: pool}, StepTimeout: 5 * time.Second})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		_, err = client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("alice", "pencil"))}})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if _, ok := client.TLSConnectionState(); ok != !strings.HasPrefix(text, "ldapi") {
			t.Errorf("%s: the state of TLS is %t", text, ok)
		}
		if err := client.StartTLS(nil); !errors.Is(err, sasl.ErrConfig) {
			t.Errorf("%s: StartTLS: %v", text, err)
		}
		if err := client.Conn.StartTLS(nil); err == nil {
			t.Errorf("%s: the library began TLS", text)
		}
		for range 2 {
			if err := client.Close(); err != nil {
				t.Errorf("%s: Close: %v", text, err)
			}
		}
	}
}

func TestDialURLErrors(t *testing.T) {
	for text, class := range map[string]sasl.Class{
		"ldap://":                   sasl.ErrConfig,
		"ldap:/x":                   sasl.ErrConfig,
		"http://localhost":          sasl.ErrConfig,
		"localhost:389":             sasl.ErrConfig,
		"ldapi://%zz":               sasl.ErrConfig,
		"ldap://\x7f":               sasl.ErrConfig,
		"ldapi://%2Fno%2Fsuch%2Fis": sasl.ErrConnection,
		"ldaps://127.0.0.1:1":       sasl.ErrConnection,
	} {
		if _, err := saslldap.DialURL(t.Context(), text, nil); sasl.ClassOf(err) != class {
			t.Errorf("%q: %v", text, err)
		}
		// An address does not replace the name that is verified, or the scheme.
		elsewhere := &saslldap.Options{Address: "127.0.0.1:1"}
		if _, err := saslldap.DialURL(t.Context(), text, elsewhere); sasl.ClassOf(err) != class {
			t.Errorf("%q elsewhere: %v", text, err)
		}
	}
}

// TestStartTLSAnswers: every answer to StartTLS other than success and TLS has an
// error with its class.
func TestStartTLSAnswers(t *testing.T) {
	for name, row := range map[string]struct {
		answer string
		class  sasl.Class
		code   uint16
	}{
		"refused":                 {"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00", sasl.ErrSecurity, 2},
		"not now":                 {"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00", sasl.ErrTemporary, 52},
		"more behind it":          {startTLSResponse + startTLSResponse, sasl.ErrSecurity, 0},
		"an octet behind it":      {startTLSResponse + "\x30", sasl.ErrSecurity, 0},
		"another answer":          {"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00", sasl.ErrProtocol, 0},
		"to another request":      {"\x30\x0c\x02\x01\x02\x78\x07\x0a\x01\x00\x04\x00\x04\x00", sasl.ErrProtocol, 0},
		"no LDAP":                 {"220 mail.example.org\r\n", sasl.ErrProtocol, 0},
		"too long":                {"\x30\x84\x00\x10\x00\x00\x02\x01\x01\x78\x84\x00\x0f\xff\xf6", sasl.ErrProtocol, 0},
		"notice of disconnection": {"\x30\x24\x02\x01\x00\x78\x1f\x0a\x01\x34\x04\x00\x04\x00\x8a\x161.3.6.1.4.1.1466.20036", sasl.ErrTemporary, 52},
		"cut":                     {startTLSResponse[:9], sasl.ErrConnection, 0},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) error {
				err := readStartTLS(conn)
				io.WriteString(conn, row.answer)
				return err
			})
			_, err := saslldap.DialURL(t.Context(), "ldap://"+host, &saslldap.Options{Address: address})
			if sasl.ClassOf(err) != row.class || errors.Is(err, transport.ErrNoStartTLS) != (name == "refused") {
				t.Error(err)
			}
			var own *ldap.Error
			if row.code != 0 && (!errors.As(err, &own) || !ldap.IsErrorWithCode(own, row.code)) {
				t.Errorf("%v is not %d", err, row.code)
			}
		})
	}
}

// TestStartTLSInjection: data that somebody sends after the answer, too late to be
// read with it, is not TLS.
func TestStartTLSInjection(t *testing.T) {
	address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) error {
		err := readStartTLS(conn)
		io.WriteString(conn, startTLSResponse)
		conn.Read(make([]byte, 1)) // the ClientHello
		io.WriteString(conn, startTLSResponse)
		return err
	})
	_, err := saslldap.DialURL(t.Context(), "ldap://"+host, &saslldap.Options{Address: address})
	if !errors.Is(err, sasl.ErrSecurity) {
		t.Error(err)
	}
}

// TestStartTLSCancelled: a context ends during the wait for the answer.
func TestStartTLSCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) error {
		err := readStartTLS(conn)
		cancel()
		io.Copy(io.Discard, conn)
		return err
	})
	_, err := saslldap.DialURL(ctx, "ldap://"+host, &saslldap.Options{Address: address})
	if !errors.Is(err, sasl.ErrConnection) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestNoStartTLS: a connection without TLS carries no password, unless the caller
// asserts that it is Secure.
func TestNoStartTLS(t *testing.T) {
	address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) error {
		w := newWire(conn)
		err := w.Greet("PLAIN", true)
		if n, _ := io.Copy(io.Discard, w.reader); n > 0 {
			err = errors.Join(err, errors.New("the client sent more"))
		}
		return err
	})
	client, err := saslldap.DialURL(t.Context(), "ldap://"+host, &saslldap.Options{Address: address, NoStartTLS: true, StepTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("alice", "pencil"))}})
	if !errors.Is(err, sasl.ErrPolicy) {
		t.Error(err)
	}
	client.Conn.Close()

	// The caller asserts that the connection is Secure.
	near, far := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- bindable(far) }()
	client, err = saslldap.NewConn(t.Context(), near, host, &saslldap.Options{Secure: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("alice", "pencil"))}})
	if err != nil {
		t.Error(err)
	}
	client.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
