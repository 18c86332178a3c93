package sasl_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestRetry shows the errors after which the client calls Retry for another attempt.
func TestRetry(t *testing.T) {
	type lines = []sasltest.Line
	wrong, right := c("\x00tim\x00wrong"), c("\x00tim\x00right")
	no := refuse(sasl.NotAuthorized)
	for _, row := range []struct {
		name     string
		lines    lines
		password []string // of each further attempt
		class    sasl.Class
		asked    int
	}{
		{"the second is right", lines{wrong, no, right, succeed}, []string{"right"}, "", 1},
		{"three at most", lines{wrong, no, wrong, no, wrong, no}, []string{"wrong", "wrong", "right"}, sasl.ErrAuthentication, 2},
		{"given up", lines{wrong, no}, nil, sasl.ErrAuthentication, 1},
		{"not after a policy", lines{wrong, refuse(sasl.InvalidMechanism)}, []string{"right"}, sasl.ErrPolicy, 0},
		{"too weak for this server, which wants other credentials", lines{wrong, refuse(sasl.MechanismTooWeak), right, succeed}, []string{"right"}, "", 1},
		{"not after a cut", lines{wrong, cut, closes}, []string{"right"}, sasl.ErrConnection, 0},
		{"not out of sync", lines{wrong, s("?"), abort, closes}, []string{"right"}, sasl.ErrProtocol, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			asked := 0
			client := plainClient("wrong")
			client.Retry = func(_ context.Context, refused error) *sasl.Client {
				asked++
				if refused == nil || asked > len(row.password) {
					return nil
				}
				return plainClient(row.password[asked-1])
			}
			peer := sasltest.NewPeer(row.lines...)
			peer.Unabortable = true
			_, err := client.Authenticate(t.Context(), peer, plainServer)
			if sasl.ClassOf(err) != row.class || asked != row.asked {
				t.Errorf("class %q, %d calls of Retry, want %q, %d; %v", sasl.ClassOf(err), asked, row.class, row.asked, err)
			}
			if err := peer.Fault(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNoRetryAfterSecurity shows that no weaker mechanism follows a possible attack.
func TestNoRetryAfterSecurity(t *testing.T) {
	client := rfc7677Client("pencil")
	client.Retry = func(context.Context, error) *sasl.Client {
		t.Error("asked for another attempt")
		return plainClient("secret")
	}
	peer := sasltest.NewPeer(c(rfc7677ClientFirst), s(strings.Replace(rfc7677ServerFirst, "i=4096", "i=1", 1)), closes)
	if _, err := client.Authenticate(t.Context(), peer, scramServer); !errors.Is(err, sasl.ErrSecurity) {
		t.Error(err)
	}
	if err := peer.Fault(); err != nil {
		t.Error(err)
	}
}
