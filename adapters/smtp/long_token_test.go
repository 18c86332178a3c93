package saslsmtp_test

import (
	"encoding/base64"
	netsmtp "net/smtp"
	"strings"
	"testing"
	"time"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestLongToken: a JSON Web Token of 3 KiB passes through every client and the
// server of go-smtp. It does not fit on the line of the command, so it takes one
// more round trip, which is not one of the mechanism.
func TestLongToken(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken("user", sasltest.LongToken())) {
		auth := &sasl.Client{Mechanisms: []sasl.Mechanism{m}}
		for kind, client := range dialAll(t, server, server.Client) {
			result, err := client.authenticate(t.Context(), auth)
			if err != nil || result != (sasl.Result{Mechanism: m.Name(), Username: "user", RoundTrips: 1}) {
				t.Errorf("%s, %s: %+v, %v", m.Name(), kind, result, err)
				client.close()
				continue
			}
			<-server.Logins
			works(t, server, kind, "user", client)
		}
		value := dialNet(t, "implicit", server.Implicit, server.Client)
		if err := value.Auth(saslsmtp.Auth(t.Context(), smtptest.Host, auth)); err != nil {
			t.Errorf("%s, a value: %v", m.Name(), err)
		} else {
			<-server.Logins
		}
		value.Close()
	}
}

// TestServerLengths: with ServerLineLength the library's server reads the message
// that RFC 4954 s4 demands, and one more digit of base64 ends the connection.
func TestServerLengths(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	for octets, want := range map[int]string{9216: "535 5.7.8 Authentication failed", 9217: "500 5.4.0 Too long line, closing connection"} {
		client := dialNet(t, "implicit", server.Implicit, server.Client)
		message := base64.StdEncoding.EncodeToString([]byte("\x00user\x00" + strings.Repeat("p", octets-6)))
		if err := client.Hello("localhost"); err != nil {
			t.Fatal(err)
		}
		if got := command(t, client, "AUTH PLAIN"); got != "334 " {
			t.Fatalf("%q", got)
		}
		if got := command(t, client, message); got != want {
			t.Errorf("%d octets: %q, want %q", octets, got, want)
		}
		client.Close()
		if octets == 9216 {
			select {
			case <-server.Refusals:
			case <-time.After(5 * time.Second):
				t.Error("nobody was refused")
			}
		}
	}
}

// command sends a line and returns the first line of the answer.
func command(t *testing.T, client *netsmtp.Client, line string) string {
	t.Helper()
	if _, err := client.Text.Cmd("%s", line); err != nil {
		t.Fatal(err)
	}
	answer, err := client.Text.ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
