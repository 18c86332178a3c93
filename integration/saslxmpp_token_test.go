package integration

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"testing"

	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// agentOf is the client of a test: others' tokens are of no use to it.
func agentOf(test string) saslxmpp.UserAgent {
	h := sha256.Sum256([]byte(test))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	id := fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
	return saslxmpp.UserAgent{ID: id, Software: "saslkit", Device: "tests"}
}

// storedTokens is what a store has for alice.
func storedTokens(t *testing.T, store *sasl.MemoryTokens, domain string) (tokens []sasl.Token) {
	t.Helper()
	err := store.Update(t.Context(), sasl.TokenAccount{Service: "xmpp", Host: domain, Username: "alice"}, func(list []sasl.Token) []sasl.Token {
		tokens = list
		return list
	})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// TestSASLXMPPTokens: a token that came with a password's login is good for the
// next one, in one round trip, and is replaced.
func TestSASLXMPPTokens(t *testing.T) {
	t.Parallel()
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		automatic, binding := "HT-SHA-256-EXPR", "tls-exporter"
		if version == tls.VersionTLS12 {
			automatic, binding = "HT-SHA-256-UNIQ", "tls-unique"
		}
		for name, row := range map[string]struct {
			mechanisms         []string
			mechanism, binding string
		}{
			"automatic": {nil, automatic, binding},
			"unbound":   {[]string{"HT-SHA-256-NONE"}, "HT-SHA-256-NONE", ""},
		} {
			store := new(sasl.MemoryTokens)
			auth := &sasl.Client{
				Mechanisms: []sasl.Mechanism{sasl.SCRAMPlus(sasl.SHA256, alice)},
				Tokens:     &sasl.Tokens{Store: store, Username: "alice", Mechanisms: row.mechanisms},
			}
			secrets := map[string]bool{}
			for round, want := range []sasl.Result{
				{Mechanism: "SCRAM-SHA-256-PLUS", Binding: dovecotBinding(version), Username: "alice", RoundTrips: 2},
				{Mechanism: row.mechanism, Binding: row.binding, Username: "alice", RoundTrips: 1},
				{Mechanism: row.mechanism, Binding: row.binding, Username: "alice", RoundTrips: 1},
			} {
				l := &xmppLogin{address: "alice@" + srv.Host, config: xmppConfig(srv, version), direct: direct}
				l.login = saslxmpp.Login{Client: auth, UserAgent: agentOf(t.Name() + name), BindTag: "saslkit"}
				session, outcome, err := l.run(t.Context(), t, srv)
				if err != nil || outcome.Result != want {
					t.Fatalf("%s, login %d: %+v, %v, want %+v", name, round, outcome.Result, err, want)
				}
				tokens := storedTokens(t, store, srv.Host)
				if len(tokens) != 1 || tokens[0].Mechanism != row.mechanism || tokens[0].Expiry.IsZero() {
					t.Fatalf("%s, login %d: %+v", name, round, tokens)
				}
				secrets[string(tokens[0].Secret.Bytes())] = true
				for _, extension := range outcome.Extensions {
					if extension.Name.Local == "token" {
						t.Errorf("%s: the token is among the extensions", name)
					}
				}
				chats(t, session)
			}
			if len(secrets) != 3 {
				t.Errorf("%s: %d tokens in three logins", name, len(secrets))
			}
		}
	})
}

// listing has the server offer a mechanism that it knows and does not list.
type listing struct{ *tls.Conn }

func (c listing) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	copy(p, bytes.ReplaceAll(p[:n], []byte("HT-SHA-256-NONE"), []byte("HT-SHA-256-ENDP")))
	return n, err
}

// TestSASLXMPPTokenEndPoint is HT-SHA-256-ENDP.
func TestSASLXMPPTokenEndPoint(t *testing.T) {
	t.Parallel()
	srv := harness.Prosody(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		l := &xmppLogin{address: "alice@" + harness.XMPPSHA1, config: xmppConfig(srv, version), direct: true}
		l.login = saslxmpp.Login{UserAgent: agentOf(t.Name() + tls.VersionName(version)), Client: &sasl.Client{
			Mechanisms: []sasl.Mechanism{sasl.SCRAM(sasl.SHA1, alice)},
			Tokens:     &sasl.Tokens{Store: new(sasl.MemoryTokens), Username: "alice", Mechanisms: []string{"HT-SHA-256-ENDP"}},
		}}
		for _, want := range []sasl.Result{
			{Mechanism: "SCRAM-SHA-1", Username: "alice", RoundTrips: 2},
			{Mechanism: "HT-SHA-256-ENDP", Binding: "tls-server-end-point", Username: "alice", RoundTrips: 1},
		} {
			conn := listing{l.connect(t, srv).(*tls.Conn)}
			session, outcome, err := l.login.NewSession(t.Context(), jid.MustParse(l.address), conn)
			if err != nil || outcome.Result != want {
				t.Fatalf("%s: %+v, %v, want %+v", tls.VersionName(version), outcome.Result, err, want)
			}
			chats(t, session)
		}
	}
}

// TestSASLXMPPTokenRefused: a token that the server does not know is deleted,
// and SCRAM follows on the same stream; PLAIN does not. The
// domain is one without XEP-0474.
func TestSASLXMPPTokenRefused(t *testing.T) {
	t.Parallel()
	everyXMPPWay(t, func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16) {
		mechanism := map[uint16]string{tls.VersionTLS12: "HT-SHA-256-UNIQ", tls.VersionTLS13: "HT-SHA-256-EXPR"}[version]
		for name, mechanisms := range map[string][]sasl.Mechanism{
			"SCRAM": sasl.PasswordMechanisms(alice),
			"PLAIN": {sasl.Plain(alice)},
		} {
			store := new(sasl.MemoryTokens)
			account := sasl.TokenAccount{Service: "xmpp", Host: harness.XMPPSHA1, Username: "alice"}
			if err := store.Update(context.Background(), account, func([]sasl.Token) []sasl.Token {
				return []sasl.Token{{Mechanism: mechanism, Secret: sasl.NewSecret("of another server's making")}}
			}); err != nil {
				t.Fatal(err)
			}
			l := &xmppLogin{address: "alice@" + harness.XMPPSHA1, config: xmppConfig(srv, version), direct: direct}
			l.login = saslxmpp.Login{UserAgent: agentOf(t.Name()), Client: &sasl.Client{
				Mechanisms: mechanisms,
				Tokens:     &sasl.Tokens{Store: store, Username: "alice", Mechanisms: []string{mechanism}},
			}}
			session, outcome, err := l.run(t.Context(), t, srv)
			if name == "PLAIN" {
				if !errors.Is(err, sasl.ErrAuthentication) || len(storedTokens(t, store, harness.XMPPSHA1)) != 0 {
					t.Errorf("PLAIN: %+v, %v", outcome, err)
				}
				continue
			}
			if err != nil || outcome.Mechanism != "SCRAM-SHA-1-PLUS" {
				t.Errorf("%+v, %v", outcome, err)
				continue
			}
			chats(t, session)
		}
	})
}
