package sasl_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

var (
	loginSrv = sasl.ServerInfo{Service: "smtp", Host: "mail.example.org", Secure: true, Mechanisms: []string{"LOGIN"}}
	noData   = sasltest.Line{Op: sasltest.ClientSends} // no initial response
)

// TestLoginMechanisms runs the kit for authors of mechanisms over both forms of the
// client and both forms of the server.
func TestLoginMechanisms(t *testing.T) {
	right, wrong := sasl.Password("user", kitPassword), sasl.Password("user", "another-Secret")
	check := func(_ context.Context, name string, password sasl.Secret) error {
		if name != "user" || string(password.Bytes()) != kitPassword {
			return sasl.ErrAuthentication
		}
		return nil
	}
	record := derive(t, sasl.SHA256, kitPassword)
	lookup := func(_ context.Context, h sasl.Hash, name string) (*sasl.SCRAMRecord, error) {
		if name != "user" {
			return nil, nil
		}
		return record, nil
	}
	for name, k := range map[string]sasltest.MechanismKit{
		"asked":            {Mechanism: sasl.Login(right), Wrong: sasl.Login(wrong), Server: serverOf(sasl.LoginServer(check))},
		"initial response": {Mechanism: sasl.LoginInitialResponse(right), Wrong: sasl.LoginInitialResponse(wrong), Server: serverOf(sasl.LoginServer(check))},
		"records":          {Mechanism: sasl.Login(right), Wrong: sasl.Login(wrong), Server: serverOf(sasl.LoginRecordServer(lookup, sasl.SHA256))},
	} {
		t.Run(name, func(t *testing.T) {
			k.Conn, k.Secrets, k.Username = kitConn, []string{kitPassword}, "user"
			sasltest.TestMechanism(t, k)
		})
	}
}

// TestLoginInitialResponse: the form that sends the username first counts one prompt
// only, and a second one is an error.
func TestLoginInitialResponse(t *testing.T) {
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.LoginInitialResponse(sasl.Password("tim", "tanstaaftanstaaf"))}}
	for class, lines := range map[sasl.Class][]sasltest.Line{
		"":               {c("tim"), s("Password:"), c("tanstaaftanstaaf"), succeed},
		sasl.ErrProtocol: {c("tim"), s("Username:"), c("tanstaaftanstaaf"), s("Password:"), abort},
		sasl.ErrSecurity: {c("tim"), succeed, closes},
	} {
		peer := sasltest.NewPeer(lines...)
		result, err := client.Authenticate(t.Context(), peer, loginSrv)
		if sasl.ClassOf(err) != class || peer.Fault() != nil || result.Username != "tim" {
			t.Errorf("%q: %+v, %v, %v", class, result, err, peer.Fault())
		}
	}
}

// TestLoginIsNamed shows that a client uses LOGIN only if its list has LOGIN, and
// only with a server that is Secure, unless the caller names LOGIN there too.
func TestLoginIsNamed(t *testing.T) {
	credentials := sasl.Password("tim", "tanstaaftanstaaf")
	insecure := loginSrv
	insecure.Secure = false
	both := loginSrv
	both.Mechanisms = []string{"LOGIN", "PLAIN"}
	named := append(sasl.PasswordMechanisms(credentials), sasl.Login(credentials))
	for name, row := range map[string]struct {
		client sasl.Client
		srv    sasl.ServerInfo
		lines  []sasltest.Line
		class  sasl.Class
	}{
		"not in the list":  {sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}, loginSrv, nil, sasl.ErrPolicy},
		"no TLS":           {sasl.Client{Mechanisms: named}, insecure, nil, sasl.ErrPolicy},
		"no TLS and named": {sasl.Client{Mechanisms: named, Allow: sasl.AllowInsecure("LOGIN")}, insecure, []sasltest.Line{noData, refuse(sasl.NotAuthorized)}, sasl.ErrAuthentication},
		"after PLAIN":      {sasl.Client{Mechanisms: named}, both, []sasltest.Line{c("\x00tim\x00tanstaaftanstaaf"), refuse(sasl.NotAuthorized)}, sasl.ErrAuthentication},
		"alone":            {sasl.Client{Mechanisms: named}, loginSrv, []sasltest.Line{noData, s("x"), c("tim"), s("y"), c("tanstaaftanstaaf"), succeed}, ""},
	} {
		peer := sasltest.NewPeer(row.lines...)
		_, err := row.client.Authenticate(t.Context(), peer, row.srv)
		if sasl.ClassOf(err) != row.class || peer.Fault() != nil {
			t.Errorf("%s: %v, %v", name, err, peer.Fault())
		}
	}
	_, err := (&sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}).Authenticate(t.Context(), sasltest.NewPeer(), loginSrv)
	if login := (*sasl.LoginError)(nil); !errors.As(err, &login) || login.PassedOver[0].Reason.Error() != "not configured" {
		t.Errorf("%v", err)
	}
}

// TestLoginTooWeak: over TLS, a server that finds LOGIN too weak asks for other
// credentials. No part of a password follows a token.
func TestLoginTooWeak(t *testing.T) {
	credentials := sasl.Password("tim", "tanstaaftanstaaf")
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Login(credentials)}}
	peer := sasltest.NewPeer(noData, s("Username:"), c("tim"), s("Password:"), c("tanstaaftanstaaf"), refuse(sasl.MechanismTooWeak))
	if _, err := client.Authenticate(t.Context(), peer, loginSrv); sasl.ClassOf(err) != sasl.ErrAuthentication || peer.Fault() != nil {
		t.Errorf("%v, %v", err, peer.Fault())
	}
	peer = sasltest.NewPeer(noData, s("Username:"), c("tim"), refuse(sasl.MechanismTooWeak)) // before the password
	if _, err := client.Authenticate(t.Context(), peer, loginSrv); sasl.ClassOf(err) != sasl.ErrPolicy || peer.Fault() != nil {
		t.Errorf("%v, %v", err, peer.Fault())
	}
	srv := loginSrv
	srv.Mechanisms = []string{"LOGIN", "XOAUTH2"}
	after := &sasl.Client{Mechanisms: sasl.BearerMechanisms(sasl.FixedBearerToken("tim", "tok"))}
	after.Retry = func(context.Context, error) *sasl.Client { return client }
	peer = sasltest.NewPeer(c("user=tim\x01auth=Bearer tok\x01\x01"), refuse(sasl.NotAuthorized))
	if _, err := after.Authenticate(t.Context(), peer, srv); !errors.Is(err, sasl.ErrAuthentication) || peer.Fault() != nil {
		t.Errorf("%v, %v", err, peer.Fault())
	}
}

// TestLoginAsksFirst shows that credentials that cannot be sent end the login before
// the client sends even the name of the mechanism.
func TestLoginAsksFirst(t *testing.T) {
	for name, credentials := range map[string]sasl.Credentials{
		"an authzid":     sasl.Password("tim", "secret").ActingAs("root"),
		"own authzid":    sasl.Password("tim", "secret").ActingAs("tim"),
		"NUL":            sasl.Password("tim", "sec\x00ret"),
		"not UTF-8":      sasl.Password("tim", "sec\xffret"),
		"a long one":     sasl.Password("tim", strings.Repeat("p", 32<<10+1)),
		"no username":    sasl.Password("", "secret"),
		"no password":    sasl.Password("tim", ""),
		"no credentials": nil,
	} {
		for _, m := range []sasl.Mechanism{sasl.Login(credentials), sasl.LoginInitialResponse(credentials)} {
			peer := sasltest.NewPeer()
			_, err := (&sasl.Client{Mechanisms: []sasl.Mechanism{m}}).Authenticate(t.Context(), peer, loginSrv)
			if sasl.ClassOf(err) != sasl.ErrConfig || peer.Fault() != nil {
				t.Errorf("%s: %v, %v", name, err, peer.Fault())
			}
		}
	}
}

// TestLoginTrace: a trace shows the prompts and the username, and never the
// password.
func TestLoginTrace(t *testing.T) {
	for username, want := range map[string]string{
		"tim":              `C: username="tim"`,
		"tanstaaftanstaaf": "C: password=…", // nobody can tell the two from each other
	} {
		var trace []string
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Login(sasl.Password(username, "tanstaaftanstaaf"))}}
		client.Trace = func(e sasl.Event) { trace = append(trace, e.String()) }
		peer := sasltest.NewPeer(noData, s("User Name\x00"), c(username), s(""), c("tanstaaftanstaaf"), s("tanstaaftanstaaf"), abort)
		if _, err := client.Authenticate(t.Context(), peer, loginSrv); sasl.ClassOf(err) != sasl.ErrProtocol {
			t.Error(err)
		}
		got := strings.Join(trace, "\n")
		if got != "-- LOGIN\nC: (none)\nS: prompt=\"User Name\\x00\"\n"+want+"\nS: (empty)\nC: password=…\nS: (withheld: it repeats a secret)\nC*" {
			t.Errorf("%s", got)
		}
	}
}
