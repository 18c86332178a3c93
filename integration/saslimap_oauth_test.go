package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"sync"
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

// bearerRow is a login with a token.
type bearerRow struct {
	username, token string
	status          string // of OAUTHBEARER's error challenge; "" = there is none
	number          string // of XOAUTH2's
	ok              bool
}

const discovery = "https://id.example.org/.well-known/openid-configuration"

// jwtRows are tokens that Dovecot validates by itself.
func jwtRows(issuer *harness.Issuer) map[string]bearerRow {
	signed := func(claim string, value any) string { return issuer.Token(map[string]any{claim: value}) }
	return map[string]bearerRow{
		"right":           {"alice", issuer.Token(nil), "", "", true},
		"3 KiB":           {"alice", signed("groups", strings.Repeat("g", 2<<10)), "", "", true},
		"expired":         {"alice", signed("exp", time.Now().Add(-time.Hour).Unix()), "invalid_token", "401", false},
		"foreign":         {"alice", harness.NewIssuer().Token(nil), "invalid_token", "401", false},
		"another issuer":  {"alice", signed("iss", "https://evil.example"), "invalid_token", "401", false},
		"another scope":   {"alice", signed("scope", "calendar"), "invalid_token", "401", false},
		"no JWT":          {"alice", "ya29.of-another-kind", "invalid_token", "401", false},
		"of another user": {"bob", issuer.Token(nil), "", "", false},
	}
}

// check compares the outcome of a login by either mechanism with the row, and looks for
// the token in the trace and the error.
func (r bearerRow) check(t *testing.T, name, mechanism, discovery string, result sasl.Result, err error, trace []string) {
	t.Helper()
	shown := strings.Join(trace, "\n")
	if err != nil {
		shown += err.Error()
	}
	if repeatsToken(shown, r.token) {
		t.Errorf("%s, %s: the token is in %s", mechanism, name, shown)
	}
	if r.ok {
		if err != nil || result != (sasl.Result{Mechanism: mechanism, Username: r.username, RoundTrips: result.RoundTrips}) {
			t.Errorf("%s, %s: %+v, %v", mechanism, name, result, err)
		}
		return
	}
	want := sasl.BearerError{Status: r.status, Scope: "mail", OpenIDConfiguration: discovery}
	if mechanism == "XOAUTH2" {
		want.Status, want.Schemes = r.number, "bearer"
	}
	var refusal *sasl.BearerError
	switch found := errors.As(err, &refusal); {
	case sasl.ClassOf(err) != sasl.ErrAuthentication || hints(err) != "token":
		t.Errorf("%s, %s: %v, hints %q", mechanism, name, err, hints(err))
	case found != (r.status != "") || found && *refusal != want:
		t.Errorf("%s, %s: %+v, want %+v", mechanism, name, refusal, want)
	}
}

// repeatsToken reports whether a text contains a part of a token, also in base64.
func repeatsToken(text, token string) bool {
	found := strings.Contains(text, token)
	for i := range min(3, len(token)-15) { // where a group of base64 can begin
		found = found || strings.Contains(text, base64(token[len(token)-15-i:len(token)-i]))
	}
	return found || strings.Contains(text, token[strings.LastIndexByte(token, '.')+1:])
}

// traced returns a Client with one mechanism, and what it traces.
func traced(m sasl.Mechanism) (auth *sasl.Client, trace *[]string) {
	trace = new([]string)
	return &sasl.Client{
		Mechanisms: []sasl.Mechanism{m},
		Trace:      func(e sasl.Event) { *trace = append(*trace, e.String()) },
	}, trace
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

// commands records the lines with which a client begins to authenticate.
type commands struct {
	sync.Mutex
	lines []string
}

func (c *commands) record(line string, _ bool) string {
	if strings.Contains(line, "AUTH") {
		c.Lock()
		c.lines = append(c.lines, line)
		c.Unlock()
	}
	return line
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
			var sent commands
			address := harness.MITM{
				Server: srv.IMAPS, Upstream: srv.ClientConfig(0), Cert: srv.PKI.ServerCert(srv.Host), Implicit: true,
				FromClient: sent.record,
			}.Start(t)
			conn, err := saslimap.DialTLS(t.Context(), address, &saslimap.Options{TLSConfig: srv.ClientConfig(0)})
			conn = opened(t, conn, err)
			auth, trace := traced(m)
			_, err = conn.Authenticate(t.Context(), auth)
			if sasl.ClassOf(err) != row.class || len(sent.lines) != row.sent {
				t.Errorf("%s, %s: %v after %d commands", m.Name(), name, err, len(sent.lines))
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
