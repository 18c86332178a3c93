package sasl_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestHintsOfWords: SCRAM has words of its own for the binding, so a refusal in
// other words of SCRAM does not come from it. A mechanism that does not send the
// flag y has told nobody that it could bind.
func TestHintsOfWords(t *testing.T) {
	plus, plain := sasl.SCRAMPlus(sasl.SHA256, pencil), sasl.Plain(pencil)
	boundSrv := sasl.ServerInfo{Secure: true, Mechanisms: []string{"SCRAM-SHA-256-PLUS"}, Bindings: []sasl.ChannelBinding{exporter}}
	plainSrv := sasl.ServerInfo{Secure: true, Mechanisms: []string{"PLAIN"}, Bindings: []sasl.ChannelBinding{exporter}}
	disabled := sasl.Failure{Class: sasl.ErrSecurity, Condition: sasl.AccountDisabled}
	own := playedPlus{played{moves: []move{{out: []byte("x")}, {err: &disabled}}}}
	ownSrv := sasl.ServerInfo{Secure: true, Mechanisms: []string{"X-PLAYED-PLUS"}, Bindings: boundSrv.Bindings}
	for _, row := range []struct {
		name       string
		mechanisms []sasl.Mechanism
		srv        sasl.ServerInfo
		challenge  string // "" = the server refuses at once
		want       string
	}{
		{"words about the user", []sasl.Mechanism{plus}, boundSrv, "e=unknown-user", "authentication: password"},
		{"words about the binding", []sasl.Mechanism{plus}, boundSrv, "e=channel-bindings-dont-match", "security: binding"},
		{"words about an attack in another mechanism", []sasl.Mechanism{own}, ownSrv, "?", "security: binding"},
		{"a mechanism without the flag", []sasl.Mechanism{plus, plain}, plainSrv, "", "authentication: password"},
	} {
		client := sasl.Client{Mechanisms: row.mechanisms}
		_, err := client.Drive(t.Context(), io.NopCloser(nil), row.srv, func(s *sasl.Session) error {
			s.Start()
			if row.challenge == "" {
				return &sasl.Failure{Condition: sasl.NotAuthorized}
			}
			_, err := s.Respond([]byte(row.challenge))
			return err
		})
		if got := sasl.ClassOf(err).String() + ": " + hints(err); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// TestHintOfUnconfirmedList: a list that the server does not confirm is named as
// what may be behind the error.
func TestHintOfUnconfirmedList(t *testing.T) {
	client := sasl.Client{Mechanisms: ladder()}
	client.SetNonce(rfc7677Nonce)
	peer := sasltest.NewPeer(c(rfc7677ClientFirst), s(rfc7677ServerFirst), closes)
	_, err := client.Authenticate(t.Context(), peer, sasl.ServerInfo{
		Secure: true, Downgrade: true, Mechanisms: []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"},
		Bindings: []sasl.ChannelBinding{exporter}, AdvertisedBindings: []string{"tls-unique"}})
	if fault := peer.Fault(); sasl.ClassOf(err) != sasl.ErrSecurity || hints(err) != "list" || fault != nil {
		t.Errorf("%v, hints %q, %v", err, hints(err), fault)
	}
}

// TestLoopThatLosesTheFailure has a loop return nil after the server's words in a
// message: the outcome is the server's refusal all the same.
func TestLoopThatLosesTheFailure(t *testing.T) {
	_, err := rfc7677Client("pencil").Drive(t.Context(), io.NopCloser(nil), scramServer, func(s *sasl.Session) error {
		s.Start()
		s.Respond([]byte("e=unknown-user"))
		return nil
	})
	var login *sasl.LoginError
	if !errors.As(err, &login) || !login.ByServer || sasl.ClassOf(err) != sasl.ErrAuthentication || hints(err) != "password" {
		t.Errorf("%v, %+v", err, login)
	}
}

// TestSuspiciousRefusalOfFailure: an ErrSecurity in the refusal that follows a
// failure is found, and no other class of the refusal.
func TestSuspiciousRefusalOfFailure(t *testing.T) {
	for class, security := range map[sasl.Class]bool{sasl.ErrSecurity: true, sasl.ErrTemporary: false} {
		client := sasl.Client{Mechanisms: []sasl.Mechanism{failsLater{sasl.ErrProtocol}}}
		_, err := client.Drive(t.Context(), io.NopCloser(nil), sasl.ServerInfo{Secure: true, Mechanisms: []string{"X-FAILS"}}, func(s *sasl.Session) error {
			s.Start()
			s.Respond([]byte("?"))
			return &sasl.Failure{Class: class}
		})
		if sasl.ClassOf(err) != sasl.ErrProtocol || errors.Is(err, sasl.ErrSecurity) != security || errors.Is(err, sasl.ErrTemporary) {
			t.Errorf("%s: %v", class, err)
		}
	}
}

// TestNoRetryAfterTheContext: nobody is asked for a password once the context has
// ended, even if the last answer was a refusal.
func TestNoRetryAfterTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := plainClient("secret")
	client.Retry = func(context.Context, error) *sasl.Client { t.Error("asked"); return nil }
	_, err := client.Drive(ctx, io.NopCloser(nil), plainServer, func(s *sasl.Session) error {
		s.Start()
		cancel()
		return &sasl.Failure{Condition: sasl.NotAuthorized}
	})
	if sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, context.Canceled) || errors.Is(err, sasl.ErrAuthentication) {
		t.Error(err)
	}
}

// TestRetryThatCannotBe: a Client for another attempt that can use nothing ends
// the operation with its own error.
func TestRetryThatCannotBe(t *testing.T) {
	client := plainClient("secret")
	client.Retry = func(context.Context, error) *sasl.Client { return new(sasl.Client) }
	_, err := client.Authenticate(t.Context(), sasltest.NewPeer(c("\x00tim\x00secret"), refuse(sasl.NotAuthorized)), plainServer)
	if err == nil || err.Error() != "config error: the Client has no mechanisms: set Client.Mechanisms" {
		t.Error(err)
	}
}

// TestUnreadWithoutDeferring refuses a message unread in a protocol that cannot
// send it later.
func TestUnreadWithoutDeferring(t *testing.T) {
	conn := &answers{list: []answer{{err: &sasl.Failure{Condition: sasl.MalformedRequest, Unread: true}}}}
	if _, err := plainClient("secret").Authenticate(t.Context(), conn, plainServer); sasl.ClassOf(err) != sasl.ErrProtocol || conn.calls != "initiate " {
		t.Errorf("%v after %s", err, conn.calls)
	}
}

// TestSelectedInTheTrace shows that the trace has the binding and the gs2 flag, and
// no mechanism that only the list of the server has.
func TestSelectedInTheTrace(t *testing.T) {
	bound := []sasl.ChannelBinding{exporter}
	types := []string{"tls-exporter"}
	for _, row := range []struct {
		offered  string
		bindings []sasl.ChannelBinding
		want     string
	}{
		{"PLAIN GSSAPI", nil, "-- PLAIN; the server lists channel bindings (tls-exporter) and no mechanism that binds"},
		{"PLAIN GSSAPI", bound, "-- PLAIN; the server lists channel bindings (tls-exporter) and no mechanism that binds"},
		{"SCRAM-SHA-256 X-OTHER-PLUS", bound, "-- SCRAM-SHA-256, with the gs2 flag y (the client can bind)"},
		{"SCRAM-SHA-256 SCRAM-SHA-256-PLUS", bound, "-- SCRAM-SHA-256-PLUS bound to tls-exporter"},
		{"SCRAM-SHA-256 SCRAM-SHA-256-PLUS", nil, "-- SCRAM-SHA-256; passed over SCRAM-SHA-256-PLUS: there is nothing to bind to on this connection"},
	} {
		var trace []string
		client := sasl.Client{Mechanisms: ladder(), Trace: func(e sasl.Event) { trace = append(trace, e.String()) }}
		session, err := client.Begin(t.Context(), sasl.ServerInfo{
			Secure: true, Mechanisms: strings.Fields(row.offered), Bindings: row.bindings, AdvertisedBindings: types})
		if err != nil {
			t.Fatal(err)
		}
		if session.Start(); trace[0] != row.want {
			t.Errorf("%s: %s, want %s", row.offered, trace[0], row.want)
		}
	}
}
