package saslimap

import (
	"context"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestObserve shows the lines of both sides without TLS around them, also those after
// STARTTLS. The login is bound to the connection as without Observe.
func TestObserve(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for address, row := range map[string]struct {
		dial func(context.Context, string, *Options) (*Conn, error)
		sent []string
	}{
		server.implicit: {DialTLS, []string{" AUTHENTICATE SCRAM-SHA-256-PLUS "}},
		server.startTLS: {DialStartTLS, []string{" STARTTLS\r\n", " AUTHENTICATE SCRAM-SHA-256-PLUS "}},
	} {
		var both [2]strings.Builder // received, sent
		conn, err := row.dial(t.Context(), address, &Options{TLSConfig: server.client, Observe: func(sent bool, octets []byte) {
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
		}
		receive(t, server.logins)
		conn.Close()
		received, sent := both[0].String(), both[1].String()
		for _, line := range row.sent {
			if strings.Count(sent, line) != 1 {
				t.Errorf("%q is not once in %q", line, sent)
			}
		}
		if !strings.HasPrefix(received, "* OK ") || !strings.Contains(received, "\r\n+ ") || strings.Count(sent, "\x00")+strings.Count(received, "\x00") > 0 {
			t.Errorf("received %q, sent %q", received, sent)
		}
	}
}
