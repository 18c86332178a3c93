package integration

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// TestSASLIMAPCancel: the context ends while an answer of the server is held
// back, each of them in turn, from the greeting to the last.
func TestSASLIMAPCancel(t *testing.T) {
	t.Parallel()
	for name, held := range map[string]func(line string, secured bool, continuations int) bool{
		"greeting":     func(line string, secured bool, _ int) bool { return !secured && strings.HasPrefix(line, "* OK") },
		"STARTTLS":     func(line string, secured bool, _ int) bool { return !secured && strings.HasPrefix(line, "A1 OK") },
		"capabilities": func(line string, secured bool, _ int) bool { return secured && strings.HasPrefix(line, "A2 OK") },
		"server-first": func(_ string, _ bool, continuations int) bool { return continuations == 1 },
		"server-final": func(_ string, _ bool, continuations int) bool { return continuations == 2 },
		"success":      func(line string, secured bool, _ int) bool { return secured && strings.HasPrefix(line, "A3 OK") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			continuations := 0
			srv := harness.Dovecot(t)
			behind := attacked(t, srv, false, tls.VersionTLS13, srv.PKI, func(line string, secured bool) string {
				if strings.HasPrefix(line, "+ ") {
					continuations++
				}
				if held(line, secured, continuations) {
					time.AfterFunc(10*time.Millisecond, cancel)
					return ""
				}
				return line
			})
			start := time.Now()
			conn, err := saslimap.DialStartTLS(ctx, behind.IMAP, &saslimap.Options{TLSConfig: srv.ClientConfig(tls.VersionTLS13)})
			if err == nil {
				defer conn.Close()
				_, err = conn.Authenticate(ctx, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Binding: sasl.DisableBinding})
			}
			checkCancelled(t, start, err)
		})
	}
}
