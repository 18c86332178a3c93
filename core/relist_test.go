package sasl_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// trivial is a mechanism with any name, whose only message is "x".
type trivial string

func (m trivial) Name() string               { return string(m) }
func (trivial) New(sasl.Terms) sasl.Exchange { return new(trivialExchange) }

type trivialExchange struct{ sent bool }

func (x *trivialExchange) Step(context.Context, []byte) ([]byte, bool, error) {
	if x.sent {
		return nil, false, sasl.ErrProtocol
	}
	x.sent = true
	return []byte("x"), true, nil
}

func (*trivialExchange) Identity() sasl.Identity { return sasl.Identity{} }

// trivialLadder has the names of PasswordMechanisms in their order.
func trivialLadder() (list []sasl.Mechanism) {
	for _, m := range ladder() {
		list = append(list, trivial(m.Name()))
	}
	return list
}

// TestRelist shows that the list after a login fails the login only if the list
// contains a mechanism that the Client prefers and could have used.
func TestRelist(t *testing.T) {
	for name, row := range map[string]struct {
		client        sasl.Client
		before, after string
		bindings      []sasl.ChannelBinding
		used          string
		security      bool
	}{
		"the same":                {before: "PLAIN SCRAM-SHA-256", after: "PLAIN SCRAM-SHA-256", used: "SCRAM-SHA-256"},
		"worse":                   {before: "SCRAM-SHA-256", after: "PLAIN SCRAM-SHA-1", used: "SCRAM-SHA-256"},
		"less":                    {before: "PLAIN SCRAM-SHA-256", after: "PLAIN", used: "SCRAM-SHA-256"},
		"better":                  {before: "PLAIN", after: "PLAIN SCRAM-SHA-256", used: "PLAIN", security: true},
		"the next better":         {before: "SCRAM-SHA-256", after: "SCRAM-SHA-256 SCRAM-SHA-384", used: "SCRAM-SHA-256", security: true},
		"a better hash":           {before: "SCRAM-SHA-1", after: "SCRAM-SHA-1 SCRAM-SHA-512", used: "SCRAM-SHA-1", security: true},
		"bound":                   {before: "SCRAM-SHA-256", after: "SCRAM-SHA-256 SCRAM-SHA-256-PLUS", bindings: []sasl.ChannelBinding{exporter}, used: "SCRAM-SHA-256", security: true},
		"bound, but not we":       {before: "SCRAM-SHA-256", after: "SCRAM-SHA-256 SCRAM-SHA-256-PLUS", used: "SCRAM-SHA-256"},
		"bound, but not allowed":  {client: sasl.Client{Binding: sasl.DisableBinding}, before: "SCRAM-SHA-256", after: "SCRAM-SHA-256 SCRAM-SHA-256-PLUS", bindings: []sasl.ChannelBinding{exporter}, used: "SCRAM-SHA-256"},
		"none of ours":            {before: "PLAIN", after: "PLAIN GSSAPI", used: "PLAIN"},
		"preferred the other way": {client: sasl.Client{Mechanisms: []sasl.Mechanism{trivial("PLAIN"), trivial("SCRAM-SHA-256")}}, before: "PLAIN", after: "PLAIN SCRAM-SHA-256", used: "PLAIN"},
		"refused by the policy": {client: sasl.Client{Allow: func(c sasl.Candidate) error {
			if c.Name != "PLAIN" {
				return errors.New("not here")
			}
			return nil
		}}, before: "PLAIN", after: "PLAIN SCRAM-SHA-256", used: "PLAIN"},
		"unreadable after":        {before: "PLAIN", after: "", used: "PLAIN"},
		"of another of the lists": {before: "PLAIN", after: "SCRAM-SHA-256", used: "PLAIN", security: true},
	} {
		t.Run(name, func(t *testing.T) {
			if row.client.Mechanisms == nil {
				row.client.Mechanisms = trivialLadder()
			}
			srv := sasl.ServerInfo{Mechanisms: strings.Fields(row.before), Secure: true, Bindings: row.bindings}
			peer := sasltest.NewPeer(c("x"), succeed)
			peer.Later = strings.Fields(row.after)
			result, err := row.client.Authenticate(t.Context(), peer, srv)
			if (err != nil) != row.security || row.security && !errors.Is(err, sasl.ErrSecurity) {
				t.Error(err)
			}
			if result.Mechanism != row.used || peer.Closed() != row.security {
				t.Errorf("%+v, closed %t", result, peer.Closed())
			}
			if strings.Join(srv.Mechanisms, " ") != row.before {
				t.Error("the list was changed")
			}
		})
	}
}

// typed is trivial with a password. After a secret of another kind, or after an
// undeclared secret, no secret follows.
type typed struct{ trivial }

func (typed) Properties() sasl.Properties { return sasl.Properties{UsesPassword: true} }

// TestRelistOfRetry shows that the list is compared with the mechanisms that the
// Client of the last attempt could use.
func TestRelistOfRetry(t *testing.T) {
	for name, row := range map[string]struct {
		next     []sasl.Mechanism
		security bool
	}{
		"another client":                {[]sasl.Mechanism{trivial("OTHER")}, false},
		"another client, with a ladder": {append(trivialLadder(), trivial("OTHER")), true},
	} {
		next := &sasl.Client{Mechanisms: row.next}
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{typed{"PLAIN"}}, Retry: func(context.Context, error) *sasl.Client { return next }}
		peer := sasltest.NewPeer(c("x"), refuse(sasl.NotAuthorized), c("x"), succeed)
		peer.Later = []string{"PLAIN", "OTHER", "SCRAM-SHA-256"}
		_, err := client.Authenticate(t.Context(), peer, sasl.ServerInfo{Mechanisms: []string{"PLAIN", "OTHER"}, Secure: true})
		if errors.Is(err, sasl.ErrSecurity) != row.security || (err != nil) != row.security {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// unreadable is a server whose list cannot be read after the login.
type unreadable struct{ *sasltest.Peer }

func (unreadable) Relist(context.Context) ([]string, error) { return nil, sasl.ErrConnection }

// echoing is a server whose error about the list repeats the password.
type echoing struct{ *sasltest.Peer }

func (echoing) Relist(context.Context) ([]string, error) { return nil, errors.New("you said tanstaaf") }

// TestRelistEchoes shows that an error about the list has a class, and repeats no
// secret.
func TestRelistEchoes(t *testing.T) {
	peer := echoing{sasltest.NewPeer(c("\x00tim\x00tanstaaf"), succeed)}
	_, err := plainClient("tanstaaf").Authenticate(t.Context(), peer, plainServer)
	if sasl.ClassOf(err) != sasl.ErrConnection || !peer.Closed() {
		t.Errorf("%v, closed %t", err, peer.Closed())
	}
	checkSilent(t, "error", err.Error(), "tanstaaf")
}

// TestRelistFails shows that a login fails if the list cannot be compared.
func TestRelistFails(t *testing.T) {
	peer := unreadable{sasltest.NewPeer(c("x"), succeed)}
	client := &sasl.Client{Mechanisms: trivialLadder()}
	if _, err := client.Authenticate(t.Context(), peer, plainServer); !errors.Is(err, sasl.ErrConnection) || !peer.Closed() {
		t.Errorf("%v, closed %t", err, peer.Closed())
	}
}
