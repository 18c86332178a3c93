package sasl_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// unbound is a mechanism whose exchange reports that the run is not bound.
type unbound struct{ declared }

func (m unbound) New(terms sasl.Terms) sasl.Exchange { return unboundExchange{m.declared.New(terms)} }

type unboundExchange struct{ sasl.Exchange }

func (unboundExchange) BoundTo() string { return "" }

func TestRequireBindingOfTheExchange(t *testing.T) {
	m := declared{"GSSAPI", sasl.Properties{Binds: sasl.BindsAlways}}
	srv := sasl.ServerInfo{Secure: true, Mechanisms: []string{"GSSAPI"}, Bindings: []sasl.ChannelBinding{exporter}, EnforcesBinding: true}
	for _, row := range []struct {
		mechanism sasl.Mechanism
		class     sasl.Class
	}{{m, ""}, {unbound{m}, sasl.ErrSecurity}} {
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}, Binding: sasl.RequireBinding}
		_, err := client.Drive(t.Context(), io.NopCloser(nil), srv, func(s *sasl.Session) error {
			_, _, err := s.Start()
			return err
		})
		if sasl.ClassOf(err) != row.class {
			t.Errorf("%T: %v", row.mechanism, err)
		}
	}
}

// TestCutListRulesOutAlways offers a mechanism that binds without a confirmation, in a
// list that an attacker may have truncated.
func TestCutListRulesOutAlways(t *testing.T) {
	client := sasl.Client{
		Mechanisms:   []sasl.Mechanism{sasl.SCRAMPlus(sasl.SHA256, pencil), declared{"GSSAPI", sasl.Properties{Binds: sasl.BindsAlways}}},
		BindingTypes: []string{"tls-server-end-point"},
	}
	_, err := client.Begin(t.Context(), sasl.ServerInfo{
		Secure: true, Downgrade: true, Mechanisms: []string{"SCRAM-SHA-256-PLUS", "GSSAPI"},
		Bindings: []sasl.ChannelBinding{endPoint}, AdvertisedBindings: []string{"tls-exporter"},
	})
	if !errors.Is(err, sasl.ErrPolicy) {
		t.Errorf("a suspicious list: %v", err)
	}
}

// TestMalformedAfterOneMessage refuses a gs2-header that was sent in a mechanism
// without a proof of the server.
func TestMalformedAfterOneMessage(t *testing.T) {
	m := declared{"X-TEST-PLUS", sasl.Properties{SendsGS2Flag: true, SingleMessage: true}}
	client := sasl.Client{Mechanisms: []sasl.Mechanism{m}}
	_, err := client.Authenticate(t.Context(), &answering{err: &sasl.Failure{Condition: sasl.MalformedRequest}},
		sasl.ServerInfo{Secure: true, Mechanisms: []string{m.name}, Bindings: []sasl.ChannelBinding{exporter}})
	if sasl.ClassOf(err) != sasl.ErrSecurity {
		t.Error(err)
	}
}

func TestIssueTokenToBadID(t *testing.T) {
	server, _ := issuer()
	session, err := server.Begin(t.Context(), tokenConn, "PLAIN")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := session.Respond(t.Context(), []byte("\x00user\x00pencil")); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", "a\x00b", "\xff", strings.Repeat("x", 1025)} {
		if _, err := session.IssueToken(t.Context(), id, "HT-SHA-256-NONE", time.Time{}); sasl.ClassOf(err) != sasl.ErrPolicy {
			t.Errorf("%.5q: %v", id, err)
		}
	}
}

func TestNoStoreNoTokens(t *testing.T) {
	server, _ := issuer()
	server.Tokens.Store = nil
	if offer := server.OfferTokens(tokenConn); offer != nil {
		t.Errorf("%q", offer)
	}
}

// unreadAndSuspicious refuses a command unread, with an ErrSecurity.
type unreadAndSuspicious struct {
	*answering
	again bool
}

func (*unreadAndSuspicious) Initiate(context.Context, string, []byte) (sasl.Reply, error) {
	return sasl.Reply{}, errors.Join(sasl.ErrSecurity, &sasl.Failure{Condition: sasl.MalformedRequest, Unread: true})
}

func (p *unreadAndSuspicious) InitiateDeferred(context.Context, string, []byte) (sasl.Reply, error) {
	p.again = true
	return sasl.Reply{Done: true}, nil
}

func TestNotSentAgainAfterSuspicion(t *testing.T) {
	peer := &unreadAndSuspicious{answering: &answering{}}
	_, err := plainClient("secret").Authenticate(t.Context(), peer, plainServer)
	if !errors.Is(err, sasl.ErrSecurity) || peer.again {
		t.Errorf("%v; sent again: %v", err, peer.again)
	}
}

func TestCancelledSuspicion(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := plainClient("x").Drive(ctx, io.NopCloser(nil), plainServer, func(s *sasl.Session) error {
		_, _, err := s.Start()
		cancel()
		return errors.Join(sasl.ErrSecurity, err)
	})
	if !errors.Is(err, sasl.ErrSecurity) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestEchoKeepsTheClass refuses a password with and without the password in the text.
func TestEchoKeepsTheClass(t *testing.T) {
	for _, text := range []string{"no", "no: hunter2-Secret"} {
		_, err := plainClient("hunter2-Secret").Authenticate(t.Context(),
			&answering{err: &sasl.Failure{Condition: sasl.MechanismTooWeak, Text: text}}, plainServer)
		if sasl.ClassOf(err) != sasl.ErrAuthentication || hints(err) != "other-credentials" {
			t.Errorf("%s: %v; %s", text, err, hints(err))
		}
	}
}

// TestEchoesThatHide has the password in forms that a person can still read.
func TestEchoesThatHide(t *testing.T) {
	for text, password := range map[string]string{
		"AHRpbQBhYmNk": "abcd", "a b c": "a b c", // base64 of NUL tim NUL abcd
		"hunt\u034fer22": "hunter22", "hunt\ufe0fer22": "hunter22", "hunt\u3164er22": "hunter22", "hunt\u2800er22": "hunter22",
	} {
		_, err := plainClient(password).Authenticate(t.Context(),
			&answering{err: &sasl.Failure{Condition: sasl.NotAuthorized, Text: "no: " + text}}, plainServer)
		if err == nil || strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), "withheld") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
