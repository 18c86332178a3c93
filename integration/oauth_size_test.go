package integration

import (
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// sizedToken is a token of alice with a claim of so many octets.
func sizedToken(issuer *harness.Issuer, octets int) string {
	return issuer.Token(map[string]any{"groups": strings.Repeat("g", octets)})
}

// TestSASLIMAPBearerSize: Dovecot hangs up on a client that sends too long a token. A
// client of the library has its own limit, before anything is sent.
func TestSASLIMAPBearerSize(t *testing.T) {
	t.Parallel()
	everyIMAPClient(t, harness.DovecotOAuth, func(t *testing.T, srv *harness.MailServer, dial func() imapLogin) {
		tooLong := sasl.ErrConnection
		if strings.HasSuffix(t.Name(), "/existing") {
			tooLong = sasl.ErrConfig
		}
		for octets, class := range map[int]sasl.Class{3800: "", 12 << 10: tooLong} {
			token := sizedToken(srv.Issuer, octets)
			for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken("alice", token)) {
				auth, trace := traced(m)
				_, err := dial().authenticate(t.Context(), auth)
				if sasl.ClassOf(err) != class {
					t.Errorf("%s, %d octets: %v", m.Name(), len(token), err)
				} else if err != nil && repeatsToken(err.Error()+strings.Join(*trace, "\n"), token) {
					t.Errorf("%s, %d octets: the token is in %v or %q", m.Name(), len(token), err, *trace)
				}
			}
		}
	})
}

// TestSASLIMAPBearerLimit: Dovecot reads 8188 octets of base64, and hangs up on a client
// that sends 8192.
func TestSASLIMAPBearerLimit(t *testing.T) {
	t.Parallel()
	srv := harness.DovecotOAuth(t)
	claim := 4000
	for _, row := range []struct {
		encoded int
		class   sasl.Class
	}{{8188, ""}, {8192, sasl.ErrConnection}} {
		token := ""
		for ; len(base64("user=alice\x01auth=Bearer "+token+"\x01\x01")) < row.encoded; claim++ {
			token = sizedToken(srv.Issuer, claim)
		}
		if sent := len(base64("user=alice\x01auth=Bearer " + token + "\x01\x01")); sent != row.encoded {
			t.Fatalf("%d octets", sent)
		}
		conn := implicit(t, srv, srv.ClientConfig(0))
		_, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.XOAuth2(sasl.FixedBearerToken("alice", token))}})
		if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
			t.Errorf("%d octets: %v", row.encoded, err)
		}
	}
}

// TestSASLSMTPBearerSize: a token within the limit of RFC 4954 section 4 passes. A longer one is
// an error, and nothing is sent.
func TestSASLSMTPBearerSize(t *testing.T) {
	t.Parallel()
	srv := harness.PostfixOAuth(t)
	for library, dial := range smtpLibraries {
		for octets, class := range map[int]sasl.Class{6500: "", 7 << 10: sasl.ErrConfig} {
			token := sizedToken(srv.Issuer, octets)
			for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken("alice", token)) {
				client, sent := watched(t, srv, dial)
				_, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}})
				if sasl.ClassOf(err) != class || (sent.count() == 0) != (class != "") {
					t.Errorf("%s, %s, %d octets: %v after %d commands", library, m.Name(), len(token), err, sent.count())
				}
			}
		}
	}
}
