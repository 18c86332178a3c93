package integration

import (
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// TestSASLXMPPStatedLimit: Prosody states that its elements may have 10000 octets
// before the authentication, and ends the stream at a larger one. The largest message
// that the client sends is read and refused, and a larger one is not sent.
func TestSASLXMPPStatedLimit(t *testing.T) {
	t.Parallel()
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		login := func(octets int) (limit int, err error) {
			l := &xmppLogin{address: "alice@" + srv.Host, config: xmppConfig(srv, version), direct: direct}
			l.login.Client = &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("u", strings.Repeat("p", octets-3)))}}
			l.login.Offered = func(info sasl.ServerInfo) { limit = info.MaxMessage }
			_, _, err = l.run(t.Context(), t, srv)
			return limit, err
		}
		limit, err := login(8 << 10)
		if sasl.ClassOf(err) != sasl.ErrConfig || limit < 7000 || limit > 7400 {
			t.Fatalf("8 KiB: %v, with the limit %d", err, limit)
		}
		_, err = login(limit)
		var refused *sasl.Failure
		if !errors.As(err, &refused) || refused.Condition != sasl.MalformedRequest { // of such a password
			t.Errorf("%d octets: %v", limit, err)
		}
		if _, err := login(limit + 1); sasl.ClassOf(err) != sasl.ErrConfig {
			t.Errorf("%d octets: %v", limit+1, err)
		}
	})
}
