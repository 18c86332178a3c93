package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// refused is the outcome of a run of the client that the server refuses once a
// number of messages is out.
func refused(t *testing.T, client *sasl.Client, srv sasl.ServerInfo, challenges []string, f sasl.Failure) error {
	t.Helper()
	_, err := client.Drive(t.Context(), io.NopCloser(nil), srv, func(s *sasl.Session) error {
		s.Start()
		for _, challenge := range challenges {
			if _, err := s.Respond([]byte(challenge)); err != nil {
				t.Error(err)
			}
		}
		return &f
	})
	return err
}

// TestTooWeakBeforeAnything: "mechanism too weak" is about the credentials only
// once a secret has gone out to a server that is Secure.
func TestTooWeakBeforeAnything(t *testing.T) {
	weak := &sasl.Failure{Condition: sasl.MechanismTooWeak}
	for _, row := range []struct {
		name      string
		mechanism sasl.Mechanism
		secure    bool
		started   bool
		class     sasl.Class
		hints     string
	}{
		{"PLAIN, sent", sasl.Plain(pencil), true, true, sasl.ErrAuthentication, "other-credentials"},
		{"PLAIN, sent without TLS", sasl.Plain(pencil), false, true, sasl.ErrPolicy, ""},
		{"PLAIN, not sent", sasl.Plain(pencil), true, false, sasl.ErrPolicy, ""},
		{"the server speaks first", silent{}, true, true, sasl.ErrPolicy, ""},
		{"SCRAM, which keeps its secret", sasl.SCRAM(sasl.SHA256, pencil), true, true, sasl.ErrPolicy, ""},
	} {
		client := sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}, Allow: allowAll}
		client.SetNonce(rfc7677Nonce)
		srv := sasl.ServerInfo{Secure: row.secure, Mechanisms: []string{row.mechanism.Name()}}
		_, err := client.Drive(t.Context(), io.NopCloser(nil), srv, func(s *sasl.Session) error {
			if row.started {
				s.Start()
				if row.mechanism.Name() == "SCRAM-SHA-256" {
					s.Respond([]byte(rfc7677ServerFirst))
				}
			}
			return weak
		})
		if sasl.ClassOf(err) != row.class || hints(err) != row.hints {
			t.Errorf("%s: %v, hints %q", row.name, err, hints(err))
		}
	}
}

// TestMalformedAfterProof refuses a message as malformed, before and after the
// server's signature. A server that has signed has compared the binding and the
// flag.
func TestMalformedAfterProof(t *testing.T) {
	both := sasl.Properties{SendsGS2Flag: true, ProvesServer: true}
	x := []byte("x")
	for _, row := range []struct {
		name       string
		properties sasl.Properties
		bound      bool
		moves      []move
		class      sasl.Class
	}{
		{"before the proof", both, true, []move{{out: x}}, sasl.ErrSecurity},
		{"after the proof", both, true, []move{{out: x, done: true}}, sasl.ErrProtocol},
		{"after a proof of nothing", sasl.Properties{SendsGS2Flag: true}, true, []move{{out: x, done: true}}, sasl.ErrSecurity},
		{"without a gs2-header", sasl.Properties{ProvesServer: true}, true, []move{{out: x}}, sasl.ErrProtocol},
		{"without a binding", both, false, []move{{out: x}}, sasl.ErrProtocol},
	} {
		m := playedPlus{played{properties: row.properties, moves: row.moves}}
		if !row.bound {
			m.properties.Binds = sasl.BindsNever
		}
		client := sasl.Client{Mechanisms: []sasl.Mechanism{m}}
		srv := sasl.ServerInfo{Secure: true, Mechanisms: []string{"X-PLAYED-PLUS"}, Bindings: []sasl.ChannelBinding{exporter}}
		if err := refused(t, &client, srv, nil, sasl.Failure{Condition: sasl.MalformedRequest}); sasl.ClassOf(err) != row.class {
			t.Errorf("%s: %v, want class %s", row.name, err, row.class)
		}
	}
}

// playedPlus is a played mechanism with a name that says that it binds.
type playedPlus struct{ played }

func (playedPlus) Name() string { return "X-PLAYED-PLUS" }

// TestOwnErrorIsNoRefusal has a loop return what the Session gave it: the
// server's words in a message are no refusal of the protocol besides.
func TestOwnErrorIsNoRefusal(t *testing.T) {
	for _, wrapped := range []bool{false, true} {
		client, traced := rfc7677Client("pencil"), ""
		client.Trace = func(e sasl.Event) { traced += e.Kind.String() + " " }
		var conn closeCounter
		result, err := client.Drive(t.Context(), &conn, scramServer, func(s *sasl.Session) error {
			s.Start()
			_, err := s.Respond([]byte("e=no-resources"))
			if wrapped {
				err = fmt.Errorf("the library: %w", err)
			}
			return err
		})
		var login *sasl.LoginError
		if !errors.As(err, &login) || !login.ByServer || err.Error() != "temporary error: refused with temporary-auth-failure: e=no-resources" {
			t.Errorf("%v, %+v", err, login)
		}
		if traced != "selected initiated challenge " || result.RoundTrips != 1 || conn.closed == 0 {
			t.Errorf("trace %s, %d round trips, closed %d times", traced, result.RoundTrips, conn.closed)
		}
	}
}

// TestByServer: an error reports whether the server refused or this client decided,
// and names what could still be used unless that is out of the question.
func TestByServer(t *testing.T) {
	bound := sasl.ServerInfo{Secure: true, Mechanisms: []string{"SCRAM-SHA-256-PLUS", "PLAIN"}, Bindings: []sasl.ChannelBinding{exporter}}
	unbound := sasl.ServerInfo{Secure: true, Mechanisms: []string{"SCRAM-SHA-256", "PLAIN"}}
	first := c("p=tls-exporter,,n=user,r=" + rfc7677Nonce)
	type lines = []sasltest.Line
	for _, row := range []struct {
		name     string
		srv      sasl.ServerInfo
		lines    lines
		class    sasl.Class
		byServer bool
		notTried string
	}{
		{"the server's policy", unbound, lines{c(rfc7677ClientFirst), refuse(sasl.InvalidMechanism)}, sasl.ErrPolicy, true, "PLAIN"},
		{"the server's refusal", unbound, lines{c(rfc7677ClientFirst), refuse(sasl.NotAuthorized)}, sasl.ErrAuthentication, true, "PLAIN"},
		{"the server's words in a message", unbound, lines{c(rfc7677ClientFirst), s("e=no-resources"), abort}, sasl.ErrTemporary, true, "PLAIN"},
		{"a refusal that may be an attack", bound, lines{first, refuse(sasl.MalformedRequest), closes}, sasl.ErrSecurity, true, ""},
		{"the server's words about an attack", bound, lines{first, s("e=channel-bindings-dont-match"), closes}, sasl.ErrSecurity, true, ""},
		{"our policy", sasl.ServerInfo{Secure: true, Mechanisms: []string{"GSSAPI"}}, nil, sasl.ErrPolicy, false, ""},
		{"an attack that we see", sasl.ServerInfo{Secure: true, Mechanisms: bound.Mechanisms, Bindings: bound.Bindings, AdvertisedBindings: []string{"tls-unique"}}, nil, sasl.ErrSecurity, false, ""},
	} {
		client := rfc7677Client("pencil")
		client.Mechanisms = append(client.Mechanisms, sasl.SCRAMPlus(sasl.SHA256, pencil), sasl.Plain(pencil))
		peer := sasltest.NewPeer(row.lines...)
		_, err := client.Authenticate(t.Context(), peer, row.srv)
		var login *sasl.LoginError
		if sasl.ClassOf(err) != row.class || !errors.As(err, &login) || login.ByServer != row.byServer || strings.Join(login.NotTried, " ") != row.notTried {
			t.Errorf("%s: %v, %+v", row.name, err, login)
		}
		if fault := peer.Fault(); fault != nil {
			t.Errorf("%s: %v", row.name, fault)
		}
	}
}

// TestNothingBegunNoRetry: a person is asked again about a password that could
// not be used, not about a run that did not begin.
func TestNothingBegunNoRetry(t *testing.T) {
	for _, row := range []struct {
		name     string
		password string
		run      func(*sasl.Session) error
		class    sasl.Class
		asked    bool
	}{
		{"an error before the start", "secret", func(*sasl.Session) error { return errors.New("odd") }, sasl.ErrConfig, false},
		{"a refusal before the start", "secret", func(*sasl.Session) error { return &sasl.Failure{} }, sasl.ErrAuthentication, false},
		{"a password that is empty", "", func(s *sasl.Session) error { _, _, err := s.Start(); return err }, sasl.ErrConfig, true},
		{"a refusal", "secret", func(s *sasl.Session) error { s.Start(); return &sasl.Failure{} }, sasl.ErrAuthentication, true},
	} {
		asked := false
		client := plainClient(row.password)
		client.Retry = func(context.Context, error) *sasl.Client { asked = true; return nil }
		var conn closeCounter
		_, err := client.Drive(t.Context(), &conn, plainServer, row.run)
		if sasl.ClassOf(err) != row.class || asked != row.asked || conn.closed > 0 {
			t.Errorf("%s: %v, asked %t, closed %d times", row.name, err, asked, conn.closed)
		}
	}
}

// TestRefusedAfterMessageWithError: an error without a class takes the hints of
// the refusal too, and a step that failed has proved nothing.
func TestRefusedAfterMessageWithError(t *testing.T) {
	m := played{properties: sasl.Properties{ProvesServer: true, UsesPassword: true}, moves: []move{{out: []byte("x"), done: true, err: errors.New("odd")}}}
	client := sasl.Client{Mechanisms: []sasl.Mechanism{m}}
	err := refused(t, &client, playedServer, nil, sasl.Failure{Condition: sasl.NotAuthorized})
	if sasl.ClassOf(err) != sasl.ErrAuthentication || hints(err) != "password" {
		t.Errorf("%v, hints %q", err, hints(err))
	}
}
