package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// tokensInTurn is a source that supplies one token after another, each Renewable,
// and then fails. The source records the refused tokens of its prompts.
type tokensInTurn struct {
	tokens  []string
	err     error
	refused []string
}

func (s *tokensInTurn) source(_ context.Context, prompt sasl.Prompt) (sasl.BearerToken, error) {
	s.refused = append(s.refused, string(prompt.Refused.Bytes()))
	if n := len(s.refused); n <= len(s.tokens) {
		return sasl.BearerToken{Username: "alice", Token: sasl.NewSecret(s.tokens[n-1]), Renewable: true}, nil
	}
	return sasl.BearerToken{}, s.err
}

var errNoRefresh = &grantError{"invalid_grant"}

// grantError is an error of an authorization server.
type grantError struct{ code string }

func (e *grantError) Error() string { return e.code }

// TestRenewal: after a refused token there is one more run with another, and no
// more.
func TestRenewal(t *testing.T) {
	type lines = []sasltest.Line
	challenge, dummy, no := s(`{"status":"invalid_token"}`), c("\x01"), refuse(sasl.NotAuthorized)
	one, two := oauthMessage("ya29.1"), oauthMessage("ya29.2")
	for _, row := range []struct {
		name   string
		tokens string
		lines  lines
		class  sasl.Class
		asked  string // the refused token in each prompt
		text   string
	}{
		{"the fresh one is right", "ya29.1 ya29.2", lines{one, challenge, dummy, no, two, succeed}, "", " ya29.1", ""},
		{"without a challenge", "ya29.1 ya29.2", lines{one, no, two, succeed}, "", " ya29.1", ""},
		{"expired", "ya29.1 ya29.2", lines{one, refuse(sasl.CredentialsExpired), two, succeed}, "", " ya29.1", ""},
		{"in words that nobody knows", "ya29.1 ya29.2", lines{one, refuse("5.7.139"), two, succeed}, "", " ya29.1", ""},
		{"the status decides nothing", "ya29.1 ya29.2", lines{one, s(`{"status":"500"}`), dummy, no, two, succeed}, "", " ya29.1", ""},
		{"refused twice", "ya29.1 ya29.2 ya29.3", lines{one, challenge, dummy, no, two, challenge, dummy, no}, sasl.ErrAuthentication, " ya29.1",
			"authentication error: the server refused the token: status invalid_token; then authentication error: refused with not-authorized"},
		{"no fresh one", "ya29.1", lines{one, challenge, dummy, no}, sasl.ErrAuthentication, " ya29.1",
			"authentication error: the server refused the token: status invalid_token; then authentication error: refused with not-authorized; no second attempt: the source of the token supplied no other one: config error: invalid_grant"},
		{"the same again", "ya29.1 ya29.1", lines{one, no}, sasl.ErrAuthentication, " ya29.1",
			"authentication error: refused with not-authorized; no second attempt: the source supplied the refused token again"},
		{"one that is no token", "ya29.1 a\x01b", lines{one, no}, sasl.ErrAuthentication, " ya29.1", "supplied no other one: config error: the token has a character"},
		{"the first is no token", "a\x01b ya29.2", nil, sasl.ErrConfig, "", "the token has a character"},
		{"not after a temporary refusal", "ya29.1 ya29.2", lines{one, challenge, dummy, refuse(sasl.TemporaryAuthFailure)}, sasl.ErrTemporary, "", ""},
		{"not for a disabled account", "ya29.1 ya29.2", lines{one, challenge, dummy, refuse(sasl.AccountDisabled)}, sasl.ErrAuthorization, "", ""},
		{"not for a policy", "ya29.1 ya29.2", lines{one, refuse(sasl.InvalidMechanism)}, sasl.ErrPolicy, "", ""},
		{"not after a broken message", "ya29.1 ya29.2", lines{one, refuse(sasl.MalformedRequest)}, sasl.ErrProtocol, "", ""},
		{"not after a broken challenge", "ya29.1 ya29.2", lines{one, s("{"), abort}, sasl.ErrProtocol, "", ""},
		{"not after a cut", "ya29.1 ya29.2", lines{one, cut, closes}, sasl.ErrConnection, "", ""},
		{"nor after one instead of a refusal", "ya29.1 ya29.2", lines{one, challenge, dummy, cut, closes}, sasl.ErrProtocol, "", ""},
		{"not after an attack", "ya29.1 ya29.2", lines{one, challenge, dummy, succeed, closes}, sasl.ErrSecurity, "", ""},
		{"an attack against the fresh one", "ya29.1 ya29.2", lines{one, no, two, challenge, dummy, succeed, closes}, sasl.ErrSecurity, " ya29.1", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			source := &tokensInTurn{tokens: strings.Fields(row.tokens), err: errNoRefresh}
			client := bearerClient(source.source)
			client.Mechanisms = append(client.Mechanisms, sasl.PasswordMechanisms(pencil)...)
			srv := bearerSrv
			srv.Mechanisms = append([]string{"PLAIN", "SCRAM-SHA-256"}, srv.Mechanisms...)
			peer := sasltest.NewPeer(row.lines...)
			_, err := client.Authenticate(t.Context(), peer, srv)
			if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
				t.Errorf("class %q, want %q; %v", sasl.ClassOf(err), row.class, err)
			}
			if err != nil && (!strings.Contains(err.Error(), row.text) || row.class != sasl.ErrConfig && errors.Is(err, sasl.ErrConfig)) {
				t.Errorf("%v, want %s", err, row.text)
			}
			if asked := strings.Join(source.refused, " "); asked != row.asked {
				t.Errorf("the source was told %q, want %q", asked, row.asked)
			}
			if err := peer.Fault(); err != nil {
				t.Error(err)
			}
			cutOff := len(row.lines) > 0 && row.lines[len(row.lines)-1].Op == sasltest.ClientCloses
			if peer.Closed() != cutOff {
				t.Errorf("closed %t", peer.Closed())
			}
		})
	}
}

// TestNoRenewalTellsWhy shows that the error of the source is reachable, and the
// refusal of the server too.
func TestNoRenewalTellsWhy(t *testing.T) {
	source := &tokensInTurn{tokens: []string{"ya29.1"}, err: fmt.Errorf("%w: %w", errNoRefresh, sasl.ErrTemporary)}
	peer := sasltest.NewPeer(oauthMessage("ya29.1"), s(`{"status":"invalid_token"}`), c("\x01"), refuse(sasl.NotAuthorized))
	_, err := bearerClient(source.source).Authenticate(t.Context(), peer, bearerSrv)
	var login *sasl.LoginError
	var refusal *sasl.BearerError
	var failure *sasl.Failure
	var grant *grantError
	if !errors.Is(err, errNoRefresh) || !errors.As(err, &grant) || !errors.As(err, &login) || !errors.As(err, &refusal) || !errors.As(err, &failure) {
		t.Fatal(err)
	}
	if errors.Is(err, sasl.ErrTemporary) || !errors.Is(err, sasl.ErrAuthentication) || hints(err) != "token" || !login.ByServer {
		t.Errorf("%v, %+v", err, login)
	}
}

// TestRenewalTrace: both runs are there, and neither token.
func TestRenewalTrace(t *testing.T) {
	var trace strings.Builder
	source := &tokensInTurn{tokens: []string{"ya29.number-1", "ya29.number-2"}}
	client := bearerClient(source.source)
	client.Trace = func(e sasl.Event) { fmt.Fprintln(&trace, e) }
	peer := sasltest.NewPeer(oauthMessage("ya29.number-1"), s(`{"status":"invalid_token"}`), c("\x01"), refuse(sasl.NotAuthorized),
		oauthMessage("ya29.number-2"), refuse("you said ya29.number-1 before"))
	_, err := client.Authenticate(t.Context(), peer, bearerSrv)
	want := `-- OAUTHBEARER
C: name="alice" host="mail.example.org" port=993 token=…
S: status invalid_token
C: (the answer to the error challenge)
S! not-authorized
-- OAUTHBEARER
C: name="alice" host="mail.example.org" port=993 token=…
S! (withheld: it repeats a secret)
`
	if trace.String() != want || err == nil || strings.Contains(err.Error(), "ya29.number") {
		t.Errorf("%v, and the trace is\n%s", err, trace.String())
	}
}

// TestRenewalEcho: a source that repeats the refused token in its error gets it
// into no error.
func TestRenewalEcho(t *testing.T) {
	source := &tokensInTurn{tokens: []string{kitToken}, err: errors.New("cannot refresh " + kitToken)}
	_, err := bearerClient(source.source).Authenticate(t.Context(), sasltest.NewPeer(oauthMessage(kitToken), refuse(sasl.NotAuthorized)), bearerSrv)
	if err == nil {
		t.Fatal("success")
	}
	checkSilent(t, "error", fmt.Sprintf("%v %+v %#v", err, err, err), kitToken)
}

// TestRetryAfterBearerToken: the caller's Retry comes after the mechanism's own
// second run, and what hands over a secret does not follow.
func TestRetryAfterBearerToken(t *testing.T) {
	type lines = []sasltest.Line
	no := refuse(sasl.NotAuthorized)
	one, two := oauthMessage("ya29.1"), oauthMessage("ya29.2")
	scram := scramLines
	for _, row := range []struct {
		name   string
		tokens string
		next   []sasl.Mechanism
		lines  lines
		class  sasl.Class
		text   string
	}{
		{"PLAIN", "ya29.1", []sasl.Mechanism{sasl.Plain(pencil)}, lines{one, no}, sasl.ErrAuthentication, "PLAIN: the mechanism would reveal the secret"},
		{"another token", "ya29.1", sasl.BearerMechanisms(sasl.FixedBearerToken("alice", "ya29.3")), lines{one, no}, sasl.ErrAuthentication, "would reveal the secret"},
		{"after both", "ya29.1 ya29.2", []sasl.Mechanism{sasl.Plain(pencil)}, lines{one, no, two, no}, sasl.ErrAuthentication, "would reveal the secret"},
		{"SCRAM", "ya29.1", []sasl.Mechanism{sasl.SCRAM(sasl.SHA256, pencil)}, append(lines{one, no}, scram...), "", ""},
		{"SCRAM after both is the third", "ya29.1 ya29.2", sasl.PasswordMechanisms(pencil), append(lines{one, no, two, no}, scram...), "", ""},
		{"PLAIN after a temporary refusal", "ya29.1", []sasl.Mechanism{sasl.Plain(pencil)}, lines{one, refuse(sasl.TemporaryAuthFailure)}, sasl.ErrTemporary, "would reveal the secret"},
	} {
		t.Run(row.name, func(t *testing.T) {
			source := &tokensInTurn{tokens: strings.Fields(row.tokens), err: errNoRefresh}
			client, asked := bearerClient(source.source), 0
			next := &sasl.Client{Mechanisms: row.next}
			next.SetNonce(rfc7677Nonce)
			client.Retry = func(context.Context, error) *sasl.Client { asked++; return next }
			srv := bearerSrv
			srv.Mechanisms = append([]string{"PLAIN", "SCRAM-SHA-256"}, srv.Mechanisms...)
			peer := sasltest.NewPeer(row.lines...)
			_, err := client.Authenticate(t.Context(), peer, srv)
			if sasl.ClassOf(err) != row.class || err != nil && !strings.Contains(err.Error(), row.text) || asked != 1 {
				t.Errorf("class %q, asked %d times: %v", sasl.ClassOf(err), asked, err)
			}
			if err := peer.Fault(); err != nil {
				t.Error(err)
			}
		})
	}
	// Before anything was sent, the caller may decide for a password.
	failing := func(context.Context, sasl.Prompt) (sasl.BearerToken, error) { return sasl.BearerToken{}, errNoRefresh }
	client := bearerClient(failing)
	client.Retry = func(context.Context, error) *sasl.Client { return plainClient("secret") }
	srv := bearerSrv
	srv.Mechanisms = append([]string{"PLAIN"}, srv.Mechanisms...)
	if _, err := client.Authenticate(t.Context(), sasltest.NewPeer(c("\x00tim\x00secret"), succeed), srv); err != nil {
		t.Error(err)
	}
}

// TestRenewalIsAnAttempt: the second run counts as one of three.
func TestRenewalIsAnAttempt(t *testing.T) {
	no := refuse(sasl.NotAuthorized)
	source := &tokensInTurn{tokens: []string{"ya29.1", "ya29.2"}}
	asked := 0
	client := plainClient("wrong")
	client.Retry = func(context.Context, error) *sasl.Client {
		asked++
		if asked == 1 {
			return plainClient("wrong")
		}
		return bearerClient(source.source)
	}
	srv := bearerSrv
	srv.Mechanisms = append([]string{"PLAIN"}, srv.Mechanisms...)
	wrong := c("\x00tim\x00wrong")
	peer := sasltest.NewPeer(wrong, no, wrong, no, oauthMessage("ya29.1"), no)
	_, err := client.Authenticate(t.Context(), peer, srv)
	if sasl.ClassOf(err) != sasl.ErrAuthentication || len(source.refused) != 1 || peer.Fault() != nil {
		t.Errorf("%v, asked for %d tokens, %v", err, len(source.refused), peer.Fault())
	}
}
