package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestDial shows what each option sends to the network.
func TestDial(t *testing.T) {
	for _, row := range []struct {
		name       string
		host, port string
		address    string
		want       string // what is dialled
		class      sasl.Class
	}{
		{"a host", "mail.example.org", "143", "", "tcp mail.example.org:143", ""},
		{"an address of IPv6", "::1", "143", "", "tcp [::1]:143", ""},
		{"another address", "mail.example.org", "143", "127.0.0.1:1143", "tcp 127.0.0.1:1143", ""},
		{"no host", "", "143", "", "", sasl.ErrConfig},
		{"no port", "mail.example.org", "", "", "", sasl.ErrConfig},
		{"another address without a port", "mail.example.org", "143", "127.0.0.1", "", sasl.ErrConfig},
	} {
		var dialled string
		d := Dialer{Address: row.address, DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			dialled = network + " " + address
			near, _ := sasltest.Pair(t)
			return near, nil
		}}
		conn, err := d.Dial(t.Context(), row.host, row.port)
		if dialled != row.want || sasl.ClassOf(err) != row.class || (conn != nil) != (err == nil) {
			t.Errorf("%s: dialled %q, %v", row.name, dialled, err)
		}
	}
}

// TestDialFails: the error names the step and the address, and a connection that
// comes too late is closed.
func TestDialFails(t *testing.T) {
	refused := errors.New("refused")
	_, err := Dialer{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, refused }}.Dial(t.Context(), "mail.example.org", "143")
	if err == nil || err.Error() != "connection error: refused (step: dial, address: mail.example.org:143)" || !errors.Is(err, refused) {
		t.Error(err)
	}
	near, far := sasltest.Pair(t)
	conn, err := Dialer{StepTimeout: time.Millisecond, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return near, ctx.Err()
	}}.Dial(t.Context(), "mail.example.org", "143")
	if conn != nil || sasl.ClassOf(err) != sasl.ErrConnection {
		t.Errorf("%v, %v", conn, err)
	}
	far.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := far.Read(make([]byte, 1)); errors.As(err, new(net.Error)) {
		t.Errorf("the late connection is open: %v", err)
	}
}

// TestSecure: the handshake is a step of its own, and a failure closes.
func TestSecure(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, "mail.example.org")
	serveTLS := func(far net.Conn) {
		tls.Server(far, &tls.Config{Certificates: []tls.Certificate{certificate}}).HandshakeContext(t.Context())
	}
	greet := func(far net.Conn) { far.Write([]byte("* OK hello\r\n")) }
	silent := func(net.Conn) {}
	for _, row := range []struct {
		name          string
		serve         func(net.Conn)
		host          string
		afterStartTLS bool
		class         sasl.Class
	}{
		{"accepted", serveTLS, "mail.example.org", false, ""},
		{"another name", serveTLS, "other.example.org", false, sasl.ErrSecurity},
		{"no TLS", greet, "mail.example.org", false, sasl.ErrConnection},
		{"no TLS after STARTTLS", greet, "mail.example.org", true, sasl.ErrSecurity},
		{"silence", silent, "mail.example.org", false, sasl.ErrConnection},
	} {
		conn, err := net.Dial("tcp", sasltest.Listen(t, row.serve))
		if err != nil {
			t.Fatal(err)
		}
		d := Dialer{TLSConfig: &tls.Config{RootCAs: pool}, StepTimeout: time.Second}
		secured, err := d.Secure(t.Context(), conn, row.host, "", row.afterStartTLS)
		var step *StepError
		if sasl.ClassOf(err) != row.class || (secured == nil) != (err != nil) || err != nil && (!errors.As(err, &step) || step.Step != "handshake") {
			t.Errorf("%s: %v", row.name, err)
		}
		if _, err := conn.Write([]byte("x")); errors.Is(err, net.ErrClosed) != (row.class != "") {
			t.Errorf("%s: writing afterwards: %v", row.name, err)
		}
		conn.Close()
	}
	named := Dialer{TLSConfig: &tls.Config{ServerName: "mail.example.org"}}
	if got := named.Host("127.0.0.1"); got != "mail.example.org" {
		t.Error(got)
	}
	if got := (Dialer{}).Host("127.0.0.1"); got != "127.0.0.1" {
		t.Error(got)
	}
}

// TestDialAddress shows the host of an address, also if the connection goes elsewhere,
// and that nothing is dialled for an invalid address.
func TestDialAddress(t *testing.T) {
	for _, row := range []struct {
		address, elsewhere, host, want string
		class                          sasl.Class
	}{
		{"mail.example.org:993", "", "mail.example.org", "mail.example.org:993", ""},
		{"[::1]:993", "", "::1", "[::1]:993", ""},
		{"mail.example.org:993", "127.0.0.1:1993", "mail.example.org", "127.0.0.1:1993", ""},
		{"mail.example.org", "127.0.0.1:1993", "", "", sasl.ErrConfig},
		{":993", "127.0.0.1:1993", "", "", sasl.ErrConfig},
	} {
		dialled := ""
		d := Dialer{Address: row.elsewhere, DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = address
			near, _ := sasltest.Pair(t)
			return near, nil
		}}
		conn, host, err := d.DialAddress(t.Context(), row.address)
		if host != row.host || dialled != row.want || sasl.ClassOf(err) != row.class || (conn != nil) != (err == nil) {
			t.Errorf("%q: host %q, dialled %q, %v", row.address, host, dialled, err)
		}
	}
}
