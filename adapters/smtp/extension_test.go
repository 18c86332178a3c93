package saslsmtp_test

import (
	"net"
	"testing"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
)

// TestClientName: the literal of an address (RFC 5321 s4.1.3), without a zone.
func TestClientName(t *testing.T) {
	for _, row := range []struct {
		local net.Addr
		want  string
	}{
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}, "[192.0.2.1]"},
		{&net.TCPAddr{IP: net.ParseIP("::ffff:192.0.2.1")}, "[192.0.2.1]"},
		{&net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Zone: "eth0"}, "[IPv6:2001:db8::1]"},
		{&net.TCPAddr{}, "localhost"},
		{&net.UnixAddr{Name: "/run/smtp"}, "localhost"},
		{nil, "localhost"},
	} {
		if got := saslsmtp.ClientName(row.local); got != row.want {
			t.Errorf("%v: %s, want %s", row.local, got, row.want)
		}
	}
}
