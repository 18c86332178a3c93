package integration

import (
	"crypto/tls"
	"errors"
	"testing"

	"github.com/emersion/go-imap/v2"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// TestSASLIMAPLoginCommand: Dovecot has no mechanism of this client, which then uses
// the LOGIN command: with quoted strings, with a literal, and refused.
func TestSASLIMAPLoginCommand(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	for name, row := range map[string]struct {
		username, password string
		class              sasl.Class // "" = success
		code               imap.ResponseCode
	}{
		"quoted":         {"alice", "secret", "", ""},
		"a literal":      {"us,er=1", "p\u00e4ssw\u00f6rd", "", ""},
		"wrong password": {"alice", `hun"ter\2`, sasl.ErrAuthentication, "AUTHENTICATIONFAILED"},
		"wrong literal":  {"alice", "h\u00fcnter2", sasl.ErrAuthentication, "AUTHENTICATIONFAILED"},
		"disabled":       {"carol", "secret", sasl.ErrAuthorization, "CONTACTADMIN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := saslimap.DialTLS(t.Context(), srv.IMAPS, &saslimap.Options{
				TLSConfig: srv.ClientConfig(tls.VersionTLS13), LoginCommand: true,
			})
			opened(t, conn, err)
			client := func(credentials sasl.Credentials) *sasl.Client {
				return &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAMPlus(sasl.SHA512, credentials), saslimap.LoginCommand(credentials)}}
			}
			result, err := conn.Authenticate(t.Context(), client(sasl.Password(row.username, row.password)))
			if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") || result.Mechanism != saslimap.LoginCommandName {
				t.Fatalf("%+v, %v, want class %q", result, err, row.class)
			}
			if err != nil {
				var own *imap.Error
				if !errors.As(err, &own) || own.Code != row.code {
					t.Errorf("%v, want the code %s", err, row.code)
				}
				if _, err := conn.Authenticate(t.Context(), client(alice)); err != nil {
					t.Fatalf("another attempt: %v", err)
				}
			}
			read(t, conn.Client(nil))
		})
	}
}
