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
	"time"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestStepTimeout: a server that falls silent in a step ends that step at its
// limit, and the connection is closed.
func TestStepTimeout(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, host)
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	silent := func(net.Conn) error { return nil }
	withTLS := func(talk func(net.Conn) error) func(net.Conn) error {
		return func(conn net.Conn) error {
			err := readStartTLS(conn)
			io.WriteString(conn, startTLSResponse)
			return errors.Join(err, talk(tls.Server(conn, config)))
		}
	}
	request := func(conn net.Conn) error { // for the root DSE
		_, err := newWire(conn).request()
		return err
	}
	initiate := func(conn net.Conn) error {
		w := newWire(conn)
		err := w.Greet("PLAIN", true)
		_, _, readErr := w.ReadInitiate()
		return errors.Join(err, readErr)
	}
	afterwards := func(conn net.Conn) error { // for the root DSE again
		w := newWire(conn)
		err := w.Greet("PLAIN", true)
		_, _, readErr := w.ReadInitiate()
		sendErr := w.send(result(tagBindResponse, 0, "", nil))
		_, listErr := w.request()
		return errors.Join(err, readErr, sendErr, listErr)
	}
	for name, row := range map[string]struct {
		url  string
		talk func(net.Conn) error // what happens before the silence
		step transport.Step       // "" = the login
	}{
		"accept, ldaps": {"ldaps://" + host, silent, "handshake"},
		"accept, ldap":  {"ldap://" + host, silent, "starttls"},
		"after StartTLS": {"ldap://" + host, func(conn net.Conn) error {
			err := readStartTLS(conn)
			io.WriteString(conn, startTLSResponse)
			return err
		}, "handshake"},
		"at the list":        {"ldap://" + host, withTLS(request), "capabilities"},
		"after the bind":     {"ldap://" + host, withTLS(initiate), ""},
		"at the second list": {"ldap://" + host, withTLS(afterwards), ""},
	} {
		t.Run(name, func(t *testing.T) {
			end := make(chan error, 1)
			address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) error {
				err := row.talk(conn)
				conn.SetReadDeadline(time.Now().Add(5 * time.Second))
				_, readErr := io.Copy(io.Discard, conn) // nil at the end of the connection
				end <- errors.Join(err, readErr)
				return nil
			})
			err := login(t.Context(), row.url, &saslldap.Options{Address: address, TLSConfig: &tls.Config{RootCAs: pool}, StepTimeout: 200 * time.Millisecond})
			var step *transport.StepError
			if !errors.Is(err, sasl.ErrConnection) || !errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &step) != (row.step != "") {
				t.Errorf("%v", err)
			}
			if step != nil && (step.Step != row.step || step.Address != address) {
				t.Errorf("%v, want the step %s", err, row.step)
			}
			if err := <-end; err != nil && !strings.Contains(err.Error(), "reset by peer") {
				t.Errorf("the server: %v", err)
			}
		})
	}
}

// login makes a client and binds it with PLAIN.
func login(ctx context.Context, url string, options *saslldap.Options) error {
	client, err := saslldap.DialURL(ctx, url, options)
	if err != nil {
		return err
	}
	_, err = client.SASLBind(ctx, &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("alice", "pencil"))}})
	return err
}

// TestNoTimeoutAfterwards: no limit of a step stays on the connection. The
// library's requests may take longer.
func TestNoTimeoutAfterwards(t *testing.T) {
	const limit = 50 * time.Millisecond
	near, far := net.Pipe()
	answered := make(chan error, 1)
	go func() {
		w := newWire(far)
		err := w.Greet("PLAIN", true)
		_, _, readErr := w.ReadInitiate()
		err = errors.Join(err, readErr, w.Succeed(nil))
		_, readErr = w.request()
		time.Sleep(4 * limit)
		answered <- errors.Join(err, readErr, w.send(result(tagExtended, 0, "", nil)))
	}()
	client, err := saslldap.NewConn(t.Context(), near, host, &saslldap.Options{Secure: true, StepTimeout: limit})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.SetTimeout(5 * time.Second)
	if _, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("alice", "pencil"))}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.WhoAmI(nil); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// TestDialContext shows that a connection of the caller serves TCP and a socket.
func TestDialContext(t *testing.T) {
	for url, want := range map[string]string{
		"ldap://" + host:          "tcp " + host + ":389",
		"ldaps://" + host + ":55": "tcp " + host + ":55",
		"ldap://[::1]":            "tcp [::1]:389",
		"ldapi://%2Ftmp%2Fldapi":  "unix /tmp/ldapi",
		"ldapi://":                "unix /var/run/slapd/ldapi",
	} {
		var dialled string
		refused := errors.New("refused")
		_, err := saslldap.DialURL(t.Context(), url, &saslldap.Options{DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			dialled = network + " " + address
			return nil, refused
		}})
		var step *transport.StepError
		if dialled != want || !errors.Is(err, refused) || !errors.As(err, &step) || step.Step != "dial" {
			t.Errorf("%s: %q, %v", url, dialled, err)
		}
	}
}
