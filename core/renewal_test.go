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

// renewable is a mechanism of another module, which sends a number and renews it.
type renewable struct {
	name   string
	number int
	renew  func(number int) (sasl.Mechanism, error)
}

func (m renewable) Name() string                 { return m.name }
func (m renewable) New(sasl.Terms) sasl.Exchange { return &renewableExchange{renewable: m} }

type renewableExchange struct {
	renewable
	sent bool
}

func (*renewableExchange) Identity() sasl.Identity    { return sasl.Identity{} }
func (*renewableExchange) SentSecrets() []sasl.Secret { return nil }

func (x *renewableExchange) Step(context.Context, []byte) ([]byte, bool, error) {
	if x.sent {
		return nil, false, errors.New("a challenge after the only message")
	}
	x.sent = true
	return []byte(fmt.Sprint("number ", x.number)), true, nil
}

func (x *renewableExchange) Renew(context.Context) (sasl.Mechanism, error) { return x.renew(x.number) }

// TestRenewOfAnotherModule shows that a Client also calls the Renew of a mechanism
// from another module.
func TestRenewOfAnotherModule(t *testing.T) {
	type lines = []sasltest.Line
	no := refuse(sasl.NotAuthorized)
	var forever func(number int) (sasl.Mechanism, error)
	forever = func(number int) (sasl.Mechanism, error) {
		return renewable{"X-NUMBER", number + 1, forever}, nil
	}
	for name, row := range map[string]struct {
		renew  func(int) (sasl.Mechanism, error)
		lines  lines
		class  sasl.Class
		text   string
		closed bool
	}{
		"renewed":    {forever, lines{c("number 1"), no, c("number 2"), succeed}, "", "", false},
		"once only":  {forever, lines{c("number 1"), no, c("number 2"), no}, sasl.ErrAuthentication, "authentication error: refused with not-authorized", false},
		"nothing":    {func(int) (sasl.Mechanism, error) { return nil, nil }, lines{c("number 1"), no}, sasl.ErrAuthentication, "authentication error: refused with not-authorized", false},
		"a reason":   {func(int) (sasl.Mechanism, error) { return nil, errors.New("out of numbers") }, lines{c("number 1"), no}, sasl.ErrAuthentication, "authentication error: refused with not-authorized; no second attempt: out of numbers", false},
		"another":    {func(int) (sasl.Mechanism, error) { return renewable{"PLAIN", 2, nil}, nil }, lines{c("number 1"), no}, sasl.ErrAuthentication, `no second attempt: config error: X-NUMBER was renewed as another mechanism, "PLAIN"`, false},
		"suspicious": {func(int) (sasl.Mechanism, error) { return nil, fmt.Errorf("%w: a trap", sasl.ErrSecurity) }, lines{c("number 1"), no, closes}, sasl.ErrSecurity, "security error: no second attempt: security error: a trap (authentication error: refused with not-authorized)", true},
	} {
		asked := 0
		client := &sasl.Client{
			Mechanisms: []sasl.Mechanism{renewable{"X-NUMBER", 1, row.renew}, sasl.Plain(pencil)},
			Retry:      func(context.Context, error) *sasl.Client { asked++; return nil },
		}
		allowed := 0
		client.Allow = func(sasl.Candidate) error { allowed++; return nil }
		peer := sasltest.NewPeer(row.lines...)
		_, err := client.Authenticate(t.Context(), peer, sasl.ServerInfo{Secure: true, Mechanisms: []string{"X-NUMBER", "PLAIN"}})
		if sasl.ClassOf(err) != row.class || err != nil && !strings.Contains(err.Error(), row.text) {
			t.Errorf("%s: %v", name, err)
		}
		if row.class == sasl.ErrAuthentication && strings.HasSuffix(row.text, "not-authorized") && err.Error() != row.text {
			t.Errorf("%s: %v, want no more than %s", name, err, row.text)
		}
		if peer.Fault() != nil || peer.Closed() != row.closed || allowed != 2 {
			t.Errorf("%s: %v, closed %t, the policy was asked %d times", name, peer.Fault(), peer.Closed(), allowed)
		}
		if want := row.class == sasl.ErrAuthentication; (asked == 1) != want {
			t.Errorf("%s: Retry was asked %d times", name, asked)
		}
	}
}

// TestRenewInDrive: a library that owns its loop runs it once more.
func TestRenewInDrive(t *testing.T) {
	var conn closer
	runs := 0
	source := &tokensInTurn{tokens: []string{"ya29.1", "ya29.2"}}
	_, err := bearerClient(source.source).Drive(t.Context(), &conn, bearerSrv, func(s *sasl.Session) error {
		runs++
		_, initial, err := s.Start()
		if err != nil || string(initial) != string(oauthMessage(fmt.Sprint("ya29.", runs)).Data) {
			t.Errorf("run %d: %q, %v", runs, initial, err)
		}
		if runs == 1 {
			return &sasl.Failure{Condition: sasl.NotAuthorized}
		}
		return nil
	})
	if err != nil || runs != 2 || conn.times != 0 {
		t.Errorf("%v after %d runs, closed %d times", err, runs, conn.times)
	}
}

// TestUndeclaredSecret: after a mechanism that declares nothing, which may have sent
// a token, Retry gets no password through. After one with a password, it does.
func TestUndeclaredSecret(t *testing.T) {
	for name, row := range map[string]struct {
		mechanism sasl.Mechanism
		class     sasl.Class
	}{
		"undeclared": {trivial("OTHER"), sasl.ErrAuthentication},
		"a password": {typed{"OTHER"}, ""},
	} {
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}, Retry: func(context.Context, error) *sasl.Client { return plainClient("secret") }}
		lines := []sasltest.Line{c("x"), refuse(sasl.NotAuthorized)}
		if row.class == "" {
			lines = append(lines, c("\x00tim\x00secret"), succeed)
		}
		peer := sasltest.NewPeer(lines...)
		_, err := client.Authenticate(t.Context(), peer, sasl.ServerInfo{Secure: true, Mechanisms: []string{"OTHER", "PLAIN"}})
		if sasl.ClassOf(err) != row.class || peer.Fault() != nil {
			t.Errorf("%s: %v, %v", name, err, peer.Fault())
		}
	}
}

// TestRetryAfterTokenFails: what keeps the Client of Retry from a mechanism is not
// taken for the refusal of the token, if it is an attack or a mistake.
func TestRetryAfterTokenFails(t *testing.T) {
	srv := bearerSrv
	srv.Mechanisms = append([]string{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}, srv.Mechanisms...)
	for name, row := range map[string]struct {
		bindings   []sasl.ChannelBinding
		advertised []string
		class      sasl.Class
	}{
		"a list that was cut":  {[]sasl.ChannelBinding{exporter}, []string{"tls-unique"}, sasl.ErrSecurity},
		"a binding of no type": {[]sasl.ChannelBinding{{Type: "?"}}, nil, sasl.ErrConfig},
	} {
		srv.Bindings, srv.AdvertisedBindings = row.bindings, row.advertised
		client := bearerClient(sasl.FixedBearerToken("alice", "ya29.1"))
		client.Binding = sasl.DisableBinding
		client.Retry = func(context.Context, error) *sasl.Client {
			return &sasl.Client{Mechanisms: sasl.PasswordMechanisms(pencil)}
		}
		peer := sasltest.NewPeer(oauthMessage("ya29.1"), refuse(sasl.NotAuthorized))
		if _, err := client.Authenticate(t.Context(), peer, srv); sasl.ClassOf(err) != row.class || peer.Fault() != nil {
			t.Errorf("%s: %v, %v", name, err, peer.Fault())
		}
	}
}
