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

// TestSASLIMAPBearerSize: Dovecot reads 8192 octets of base64, and hangs up on a client
// that sends more. A client of the library has its own limit, before anything is sent.
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

// TestSASLSMTPBearerSize: Postfix reads 12288 octets of base64 with their line end, the
// limit of RFC 4954 section 4. A longer token is an error, and nothing is sent.
func TestSASLSMTPBearerSize(t *testing.T) {
	t.Parallel()
	srv := harness.PostfixOAuth(t)
	for library, dial := range smtpLibraries {
		for octets, class := range map[int]sasl.Class{6500: "", 7 << 10: sasl.ErrConfig} {
			token := sizedToken(srv.Issuer, octets)
			for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken("alice", token)) {
				var sent lines
				address := harness.MITM{
					Server: srv.DovecotSASL.Implicit, Upstream: srv.ClientConfig(0), Cert: srv.PKI.ServerCert(srv.Host),
					Implicit: true, FromClient: sent.logins,
				}.Start(t)
				client, err := dial(t, harness.Submission{Implicit: address}, true, srv.ClientConfig(0))
				if err != nil {
					t.Fatal(err)
				}
				_, err = client.authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}})
				if sasl.ClassOf(err) != class || (sent.count() == 0) != (class != "") {
					t.Errorf("%s, %s, %d octets: %v after %d commands", library, m.Name(), len(token), err, sent.count())
				}
			}
		}
	}
}
