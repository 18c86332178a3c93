package integration

import (
	"errors"
	"strings"
	"testing"
	"time"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// TestSASLXMPPBearer: OAUTHBEARER with the tokens that Prosody issues, over SASL2 and over
// SASL. After a refused token, another one follows on the same stream.
func TestSASLXMPPBearer(t *testing.T) {
	t.Parallel()
	srv := harness.Prosody(t)
	const domain = harness.XMPPSHA256
	right := srv.BearerToken(t, "alice@"+domain, domain, time.Hour)
	refused := map[string]string{
		"expired":         srv.BearerToken(t, "alice@"+domain, domain, -time.Hour),
		"of another kind": "ya29.of-another-kind",
		"of another host": srv.BearerToken(t, "alice@"+harness.XMPPSHA1, harness.XMPPSHA1, time.Hour),
	}
	for profile, fromServer := range map[string]func(string, bool) string{"SASL": withoutSASL2, "SASL2": nil} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			throughXMPPMITM(t, domain, fromServer, func(t *testing.T, login func(*sasl.Client) (saslxmpp.Outcome, error)) {
				auth, trace := traced(sasl.OAuthBearer(sasl.FixedBearerToken("alice", right)))
				outcome, err := login(auth)
				if want := (sasl.Result{Mechanism: "OAUTHBEARER", Username: "alice", RoundTrips: 1}); err != nil || outcome.Result != want || outcome.SASL2 != (profile == "SASL2") {
					t.Errorf("%+v, %v", outcome, err)
				}
				if repeatsToken(strings.Join(*trace, "\n"), right) {
					t.Errorf("the token is in %q", *trace)
				}
				for name, token := range refused {
					auth, trace := traced(sasl.OAuthBearer(sasl.FixedBearerToken("alice", token)))
					_, err := login(auth)
					var failure *sasl.Failure
					var refusal *sasl.BearerError
					if sasl.ClassOf(err) != sasl.ErrAuthentication || !errors.As(err, &failure) || failure.Condition != sasl.NotAuthorized ||
						!errors.As(err, &refusal) || *refusal != (sasl.BearerError{Status: "invalid_token"}) || hints(err) != "token" {
						t.Errorf("%s: %v", name, err)
					} else if repeatsToken(err.Error()+strings.Join(*trace, "\n"), token) {
						t.Errorf("%s: the token is in %v or %q", name, err, *trace)
					}
					if outcome, err := login(&sasl.Client{Mechanisms: []sasl.Mechanism{sasl.OAuthBearer(renewed("alice", token, right))}}); err != nil || outcome.SASL2 != (profile == "SASL2") {
						t.Errorf("%s, then: %+v, %v", name, outcome, err)
					}
				}
			})
		})
	}
}

// TestSASLXMPPBearerUser: a disabled account has its own class. Prosody logs in the user of
// the token, whatever name the client states.
func TestSASLXMPPBearerUser(t *testing.T) {
	t.Parallel()
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		const domain = harness.XMPPSHA256
		for user, class := range map[string]sasl.Class{"alice": "", "carol": sasl.ErrAuthorization} {
			token := srv.BearerToken(t, user+"@"+domain, domain, time.Hour)
			l := &xmppLogin{address: user + "@" + domain, config: xmppConfig(srv, version), direct: direct}
			l.login.Client = &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.OAuthBearer(sasl.FixedBearerToken("bob", token))}}
			session, outcome, err := l.run(t.Context(), t, srv)
			if sasl.ClassOf(err) != class || class == "" && outcome.Address.String() != l.address {
				t.Errorf("%s: %+v, %v", user, outcome, err)
			}
			if err == nil {
				chats(t, session)
			}
		}
	})
}
