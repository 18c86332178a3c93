package sasl_test

import (
	"context"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestMaxMessage: a message over the limit of the protocol is not sent, and the
// connection is in sync: the attempt of Retry follows on it.
func TestMaxMessage(t *testing.T) {
	long := "\x00tim\x00" + strings.Repeat("p", 9211)
	for name, row := range map[string]struct {
		limit int
		sent  []sasltest.Line
	}{
		"no limit":             {0, []sasltest.Line{c(long), succeed}},
		"as long as the limit": {9216, []sasltest.Line{c(long), succeed}},
		"longer by one":        {9215, []sasltest.Line{c("\x00tim\x00pencil"), succeed}},
	} {
		srv := plainServer
		srv.MaxMessage = row.limit
		var refused error
		client := plainClient(long[5:])
		client.Retry = func(_ context.Context, failed error) *sasl.Client {
			refused = failed
			return plainClient("pencil")
		}
		peer := sasltest.NewPeer(row.sent...)
		if _, err := client.Authenticate(t.Context(), peer, srv); err != nil || peer.Fault() != nil || peer.Closed() {
			t.Errorf("%s: %v, %v, closed: %t", name, err, peer.Fault(), peer.Closed())
		}
		if (refused != nil) != (row.limit == 9215) {
			t.Errorf("%s: %v", name, refused)
		}
		if refused != nil && (sasl.ClassOf(refused) != sasl.ErrConfig || !strings.Contains(refused.Error(), "has 9216 octets, and this connection carries at most 9215")) {
			t.Errorf("%s: %v", name, refused)
		}
	}
}

// TestMaxMessageOfResponse: a response over the limit is not sent, and an abort ends
// the exchange.
func TestMaxMessageOfResponse(t *testing.T) {
	srv := scramServer
	srv.MaxMessage = len(rfc7677ClientFirst)
	peer := sasltest.NewPeer(c(rfc7677ClientFirst), s(rfc7677ServerFirst), abort)
	_, err := rfc7677Client("pencil").Authenticate(t.Context(), peer, srv)
	if sasl.ClassOf(err) != sasl.ErrConfig || peer.Fault() != nil || peer.Closed() {
		t.Errorf("%v, %v, closed: %t", err, peer.Fault(), peer.Closed())
	}
}
