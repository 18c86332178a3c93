package saslsmtp_test

import (
	"context"
	"strings"
	"testing"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestObserve shows the lines of both sides without TLS around them, also those after
// STARTTLS. The login is bound to the connection as without Observe.
func TestObserve(t *testing.T) {
	server := smtptest.Serve(t, sasltest.AllMechanisms())
	for address, row := range map[string]struct {
		dial func(context.Context, string, *saslsmtp.Options) (*saslsmtp.Conn, error)
		sent []string
	}{
		server.Implicit: {saslsmtp.DialTLS, []string{"AUTH SCRAM-SHA-256-PLUS "}},
		server.StartTLS: {saslsmtp.DialStartTLS, []string{"STARTTLS\r\n", "AUTH SCRAM-SHA-256-PLUS "}},
	} {
		var both [2]strings.Builder // received, sent
		conn, err := row.dial(t.Context(), address, &saslsmtp.Options{TLSConfig: server.Client, Observe: func(sent bool, octets []byte) {
			if sent {
				both[1].Write(octets)
			} else {
				both[0].Write(octets)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		result, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAMPlus(sasl.SHA256, credentials)}})
		if err != nil || result.Binding == "" {
			t.Errorf("%s: %+v, %v", row.sent, result, err)
		} else {
			<-server.Logins
		}
		conn.Close()
		received, sent := both[0].String(), both[1].String()
		for _, line := range row.sent {
			if strings.Count(sent, line) != 1 {
				t.Errorf("%q is not once in %q", line, sent)
			}
		}
		if !strings.HasPrefix(received, "220 ") || !strings.Contains(received, "\r\n235 ") || strings.Count(sent, "\x00")+strings.Count(received, "\x00") > 0 {
			t.Errorf("received %q, sent %q", received, sent)
		}
	}
}
