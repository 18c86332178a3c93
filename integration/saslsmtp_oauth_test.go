package integration

import (
	"crypto/tls"
	"errors"
	"net/textproto"
	"strings"
	"testing"
	"time"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// TestSASLSMTPBearer: both mechanisms, with tokens that the Dovecot behind Postfix takes
// and refuses, and what is submitted then arrives.
func TestSASLSMTPBearer(t *testing.T) {
	t.Parallel()
	everySMTPWay(t, func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16) {
		srv := harness.PostfixOAuth(t)
		rows := jwtRows(srv.Issuer)
		for name, row := range rows {
			for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken(row.username, row.token)) {
				client := dial(srv.DovecotSASL, srv.ClientConfig(version))
				auth, trace := traced(m)
				result, err := client.authenticate(t.Context(), auth)
				row.check(t, name, m.Name(), discovery, result, err, *trace)
				var reply *saslsmtp.Reply
				if !row.ok && (!errors.As(err, &reply) || reply.Code != 535 || reply.Enhanced != [3]int{5, 7, 8}) {
					t.Errorf("%s, %s: %v", name, m.Name(), err)
				}
				if !row.ok {
					good := sasl.BearerMechanisms(sasl.FixedBearerToken("alice", rows["3 KiB"].token))
					if _, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: good}); err != nil {
						t.Errorf("%s, %s, then: %v", name, m.Name(), err)
					}
					continue
				}
				if err := client.submit("bob@"+srv.Host, t.Name()); err != nil {
					t.Errorf("%s, %s, submission: %v", name, m.Name(), err)
				}
			}
		}
	})
}

// TestSASLSMTPBearerDovecot: Dovecot's own submission service takes the same tokens, and
// the JSON of a refusal does not depend on the protocol.
func TestSASLSMTPBearerDovecot(t *testing.T) {
	t.Parallel()
	srv := harness.DovecotOAuth(t)
	for library, dial := range smtpLibraries {
		for name, row := range jwtRows(srv.Issuer) {
			for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken(row.username, row.token)) {
				client, err := dial(t, srv.Submission, false, srv.ClientConfig(0))
				if err != nil {
					t.Fatal(err)
				}
				auth, trace := traced(m)
				result, err := client.authenticate(t.Context(), auth)
				row.check(t, library+", "+name, m.Name(), discovery, result, err, *trace)
			}
		}
	}
}

// TestSASLSMTPBearerValues: the Auth of each library, with a token that fits on the line
// of AUTH, with one that does not, and with one that is refused.
func TestSASLSMTPBearerValues(t *testing.T) {
	t.Parallel()
	srv := harness.PostfixOAuth(t)
	for library, login := range smtpValues {
		for name, row := range jwtRows(srv.Issuer) {
			for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken(row.username, row.token)) {
				auth, trace := traced(m)
				err := login(t, srv.DovecotSASL.STARTTLS, srv, auth)
				shown := strings.Join(*trace, "\n")
				if err != nil {
					shown += err.Error()
				}
				if repeatsToken(shown, row.token) {
					t.Errorf("%s, %s, %s: the token is in %s", library, m.Name(), name, shown)
				}
				var refused *textproto.Error
				if row.ok && err != nil || !row.ok && (!errors.As(err, &refused) || refused.Code != 535) {
					t.Errorf("%s, %s, %s: %v", library, m.Name(), name, err)
				}
			}
		}
	}
}

// watched returns a client of Postfix, and records how often it begins to authenticate.
func watched(t *testing.T, srv *harness.PostfixServer, dial dialSMTPClient) (client smtpClient, sent *lines) {
	t.Helper()
	sent = new(lines)
	address := harness.MITM{
		Server: srv.DovecotSASL.Implicit, Upstream: srv.ClientConfig(0), Cert: srv.PKI.ServerCert(srv.Host),
		Implicit: true, FromClient: sent.logins,
	}.Start(t)
	client, err := dial(t, harness.Submission{Implicit: address}, true, srv.ClientConfig(0))
	if err != nil {
		t.Fatal(err)
	}
	return client, sent
}

// TestSASLSMTPRenewal shows that a refused token is followed by another one in the same
// operation, once.
func TestSASLSMTPRenewal(t *testing.T) {
	t.Parallel()
	srv := harness.PostfixOAuth(t)
	old := srv.Issuer.Token(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})
	for library, dial := range smtpLibraries {
		for next, class := range map[string]sasl.Class{
			srv.Issuer.Token(nil): "",
			srv.Issuer.Token(map[string]any{"scope": "calendar"}): sasl.ErrAuthentication,
		} {
			for _, m := range sasl.BearerMechanisms(renewed("alice", old, next)) {
				client, sent := watched(t, srv, dial)
				_, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}})
				if sasl.ClassOf(err) != class || sent.count() != 2 {
					t.Errorf("%s, %s: %v after %d commands", library, m.Name(), err, sent.count())
				}
			}
		}
	}
}
