package transport

import (
	"crypto/tls"
	"io"
	"testing"

	"github.com/saslkit/saslkit/core/sasltest"
)

// TestObserve shows the octets under TLS in both directions, and that the state of
// TLS stays there.
func TestObserve(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, "mail.example.org")
	near, far := sasltest.Pair(t)
	server := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{certificate}})
	go func() {
		io.ReadFull(server, make([]byte, 5))
		io.WriteString(server, "world")
	}()
	seen := map[bool]string{}
	observe := func(sent bool, octets []byte) { seen[sent] += string(octets) }
	conn := Observe(tls.Client(near, &tls.Config{RootCAs: pool, ServerName: "mail.example.org"}), observe)
	io.WriteString(conn, "hello")
	io.ReadFull(conn, make([]byte, 5))
	if seen[true] != "hello" || seen[false] != "world" {
		t.Errorf("sent %q, received %q", seen[true], seen[false])
	}
	secured, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	if !ok || secured.ConnectionState().ServerName != "mail.example.org" {
		t.Error("the state of TLS is lost")
	}
	if _, ok := Observe(near, observe).(interface{ ConnectionState() tls.ConnectionState }); ok {
		t.Error("there is a state without TLS")
	}
	if Observe(near, nil) != near {
		t.Error("nobody observes, and the connection is another one")
	}
	Close(conn)
	if _, err := near.Write([]byte("x")); err == nil {
		t.Error("Close has not closed the connection below TLS")
	}
}
