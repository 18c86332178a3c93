package integration

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// imapLogin logs in and hands over a client, in one of the ways of the adapter.
type imapLogin struct {
	authenticate func(context.Context, *sasl.Client) (sasl.Result, error)
	client       func() *imapclient.Client
}

// everyIMAPClient runs a test with a Conn in every way, and with a client of the library
// that exists already.
func everyIMAPClient(t *testing.T, start func(testing.TB) *harness.MailServer, test func(t *testing.T, srv *harness.MailServer, dial func() imapLogin)) {
	everyWay(t, func(t *testing.T, dial open, version uint16) {
		srv := start(t)
		test(t, srv, func() imapLogin {
			conn := dial(t, srv, srv.ClientConfig(version))
			return imapLogin{conn.Authenticate, func() *imapclient.Client { return conn.Client(nil) }}
		})
	})
	t.Run("existing", func(t *testing.T) {
		t.Parallel()
		srv := start(t)
		test(t, srv, func() imapLogin {
			conn, err := tls.Dial("tcp", srv.IMAPS, srv.ClientConfig(tls.VersionTLS13))
			if err != nil {
				t.Fatal(err)
			}
			state := conn.ConnectionState()
			client := imapclient.New(conn, nil)
			t.Cleanup(func() { client.Close() })
			return imapLogin{
				func(ctx context.Context, auth *sasl.Client) (sasl.Result, error) {
					return saslimap.Authenticate(ctx, client, auth, saslimap.Existing{Host: srv.Host, TLS: &state, EqualsSign: true})
				},
				func() *imapclient.Client { return client },
			}
		})
	})
}

// TestSASLIMAPBearer: both mechanisms, with tokens that Dovecot takes and refuses. After
// a refusal, another token follows on the same connection.
func TestSASLIMAPBearer(t *testing.T) {
	t.Parallel()
	everyIMAPClient(t, harness.DovecotOAuth, func(t *testing.T, srv *harness.MailServer, dial func() imapLogin) {
		for name, row := range jwtRows(srv.Issuer) {
			for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken(row.username, row.token)) {
				login := dial()
				auth, trace := traced(m)
				result, err := login.authenticate(t.Context(), auth)
				row.check(t, name, m.Name(), discovery, result, err, *trace)
				if !row.ok {
					good := sasl.BearerMechanisms(sasl.FixedBearerToken("alice", srv.Issuer.Token(nil)))
					if _, err := login.authenticate(t.Context(), &sasl.Client{Mechanisms: good}); err != nil {
						t.Errorf("%s, %s, then: %v", name, m.Name(), err)
						continue
					}
				}
				read(t, login.client())
			}
		}
	})
}

// TestSASLIMAPIntrospection: Dovecot asks the authorization server. If that server does
// not answer, Dovecot refuses the token in the end, so the class is that of a refusal,
// and the status of the error challenge tells the difference.
func TestSASLIMAPIntrospection(t *testing.T) {
	t.Parallel()
	everyIMAPClient(t, harness.DovecotIntrospection, func(t *testing.T, _ *harness.MailServer, dial func() imapLogin) {
		for name, row := range map[string]bearerRow{
			"active":          {"alice", "active-alice", "", "", true},
			"inactive":        {"alice", "revoked-of-alice", "invalid_token", "401", false},
			"no answer":       {"alice", "lost-alice-and-others", "internal_failure", "500", false},
			"of another user": {"alice", "active-bob", "", "", false},
		} {
			for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken(row.username, row.token)) {
				login := dial()
				auth, trace := traced(m)
				result, err := login.authenticate(t.Context(), auth)
				row.check(t, name, m.Name(), "", result, err, *trace)
				if row.ok {
					read(t, login.client())
				}
			}
		}
	})
}

// TestSASLIMAPRenewal shows that a refused token is followed by another one in the same
// operation, once, if the source has one.
func TestSASLIMAPRenewal(t *testing.T) {
	t.Parallel()
	srv := harness.DovecotOAuth(t)
	old := srv.Issuer.Token(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})
	older := srv.Issuer.Token(map[string]any{"exp": time.Now().Add(-2 * time.Hour).Unix()})
	fresh := srv.Issuer.Token(nil)
	for name, row := range map[string]struct {
		renewable bool
		next      string
		sent      int
		class     sasl.Class
	}{
		"fresh":         {true, fresh, 2, ""},
		"old":           {true, older, 2, sasl.ErrAuthentication},
		"the same":      {true, old, 1, sasl.ErrAuthentication},
		"not renewable": {false, fresh, 1, sasl.ErrAuthentication},
	} {
		source := func(ctx context.Context, prompt sasl.Prompt) (sasl.BearerToken, error) {
			token, err := renewed("alice", old, row.next)(ctx, prompt)
			token.Renewable = row.renewable
			return token, err
		}
		for _, m := range sasl.BearerMechanisms(source) {
			var sent lines
			address := harness.MITM{
				Server: srv.IMAPS, Upstream: srv.ClientConfig(0), Cert: srv.PKI.ServerCert(srv.Host), Implicit: true,
				FromClient: sent.logins,
			}.Start(t)
			conn, err := saslimap.DialTLS(t.Context(), address, &saslimap.Options{TLSConfig: srv.ClientConfig(0)})
			conn = opened(t, conn, err)
			auth, trace := traced(m)
			_, err = conn.Authenticate(t.Context(), auth)
			if sasl.ClassOf(err) != row.class || sent.count() != row.sent {
				t.Errorf("%s, %s: %v after %d commands", m.Name(), name, err, sent.count())
			}
			shown := strings.Join(*trace, "\n")
			if err != nil {
				shown += err.Error()
			}
			if repeatsToken(shown, old) || repeatsToken(shown, row.next) {
				t.Errorf("%s, %s: a token is in %s", m.Name(), name, shown)
			}
			if row.class == "" {
				read(t, conn.Client(nil))
			}
		}
	}
}
