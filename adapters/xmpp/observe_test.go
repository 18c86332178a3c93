package saslxmpp_test

import (
	"crypto/tls"
	"strings"
	"testing"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestObserve shows the elements of both sides without TLS around them, also those
// after STARTTLS. The login is bound to the connection as without Observe.
func TestObserve(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for direct, elements := range map[bool][]string{
		true:  {"mechanism='SCRAM-SHA-256-PLUS'"},
		false: {"<starttls ", "mechanism='SCRAM-SHA-256-PLUS'"},
	} {
		var both [2]strings.Builder // received, sent
		login := &saslxmpp.Login{
			Client: &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAMPlus(sasl.SHA256, credentials)}},
			Observe: func(sent bool, octets []byte) {
				if sent {
					both[1].Write(octets)
				} else {
					both[0].Write(octets)
				}
			},
		}
		outcome, _, _, err := server.login(t, login, address, tls.VersionTLS13, direct)
		if err != nil || outcome.Result.Binding == "" {
			t.Errorf("direct: %t: %+v, %v", direct, outcome, err)
		}
		received, sent := both[0].String(), both[1].String()
		for _, element := range elements {
			if strings.Count(sent, element) != 1 {
				t.Errorf("%q is not once in %q", element, sent)
			}
		}
		if !strings.Contains(received, "<success ") || strings.Count(sent, "\x00")+strings.Count(received, "\x00") > 0 {
			t.Errorf("received %q, sent %q", received, sent)
		}
	}
}
