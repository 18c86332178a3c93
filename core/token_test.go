package sasl_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// The MACs that Python's hmac computed with the token: the first two without binding
// data, the others with the data of exporter.
const (
	tokenText      = "secret-token:fast-Oeie4nmlUoLHXca_YhkjwkEBgCEKKHKCArT8"
	noneInitiator  = "user\x00\xaa\xbf\x06\xe2;\x99\x98\x99\xe9\xf0r\x8a\xa3\xf5\x01\x19\x18P\x8f\xd6\xc8T\xa1\xee\xdb\x18\x8aMnR y"
	noneResponder  = "6sm\x11\x1b\xbf\xa3\xe7\xb9\xbeo\xaeGR\xd8\xe5p\x06\xe3\x91l\x9dR\x0b\x11y\x7fc\x9a\xe1F\x81"
	boundInitiator = "user\x00\x064\x09\xea\xda\x09\xb1\x0b\x9f!_\x87\xa2\xa5\xaf\x19\xfb<LsLW\x0f%\xb8\xf0>'\xef\xb85\x1a"
	boundResponder = "\xe2Rqe\x10\x05.\x09aV\x8ch\x0e\x01[\xb6\xcf_\x04\xc1\x1f\x10\xa8\x87D\xe4\xfa+S\x0cX~"
)

var (
	tokenAccount = sasl.TokenAccount{Service: "xmpp", Host: "example.org", Username: "user"}
	tokenSrv     = sasl.ServerInfo{
		Service: "xmpp", Host: "example.org", Secure: true, SuccessData: true,
		Mechanisms: []string{"SCRAM-SHA-256", "PLAIN"},
		Bindings:   []sasl.ChannelBinding{exporter, endPoint},
	}
	tokenOffer = []string{"HT-SHA-256-NONE", "HT-SHA-256-ENDP", "HT-SHA-256-UNIQ", "HT-SHA-256-EXPR"}
	scramLines = []sasltest.Line{c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal),
		{Op: sasltest.Succeed, Data: []byte(rfc7677ServerFinal)}}
)

// tokenInfo holds a server's lists: the list for tokens is separate.
type tokenInfo struct {
	sasl.ServerInfo
	tokens []string
}

// tokenPeer is a peer that accepts every token.
func tokenPeer(lines ...sasltest.Line) *sasltest.Peer {
	peer := sasltest.NewPeer(lines...)
	peer.Tokens = tokenOffer
	return peer
}

func token(kind string) sasl.Token {
	return sasl.Token{Mechanism: "HT-SHA-256-" + kind, Secret: sasl.NewSecret(tokenText)}
}

// tokenClient logs in with a token from the store, or as in RFC 7677.
func tokenClient(mechanisms ...string) (*sasl.Client, *sasl.MemoryTokens) {
	store := new(sasl.MemoryTokens)
	credentials := sasl.Password("user", "pencil")
	client := &sasl.Client{
		Mechanisms: []sasl.Mechanism{sasl.SCRAM(sasl.SHA256, credentials), sasl.Plain(credentials)},
		Tokens:     &sasl.Tokens{Store: store, Username: "user", Mechanisms: mechanisms},
	}
	client.SetNonce(rfc7677Nonce)
	return client, store
}

// TestTokenChoice shows the token that the client sends, or the token that the client
// requests. A row changes the client, the server's list or the connection.
func TestTokenChoice(t *testing.T) {
	expired, long := token("EXPR"), token("EXPR")
	expired.Expiry = time.Now().Add(-time.Second)
	long.Expiry = time.Now().Add(time.Hour)
	used := token("EXPR")
	used.Count = 1<<64 - 1
	const none = ""
	for _, row := range []struct {
		name   string
		held   []sasl.Token
		change func(*sasl.Client, *tokenInfo)
		sent   string // the mechanism
		wanted string // the mechanism of the requested token
	}{
		{"none is held", nil, nil, "SCRAM-SHA-256", "HT-SHA-256-EXPR"},
		{"one is held", []sasl.Token{token("EXPR")}, nil, "HT-SHA-256-EXPR", none},
		{"which lasts", []sasl.Token{long}, nil, "HT-SHA-256-EXPR", none},
		{"which does not", []sasl.Token{expired}, nil, "SCRAM-SHA-256", "HT-SHA-256-EXPR"},
		{"whose count is at its end", []sasl.Token{used}, nil, "SCRAM-SHA-256", "HT-SHA-256-EXPR"},
		{"too long a one", []sasl.Token{{Mechanism: "HT-SHA-256-EXPR", Secret: sasl.NewSecret(strings.Repeat("x", 1025))}}, nil, "SCRAM-SHA-256", "HT-SHA-256-EXPR"},
		{"an empty one", []sasl.Token{{Mechanism: "HT-SHA-256-EXPR"}}, nil, "SCRAM-SHA-256", "HT-SHA-256-EXPR"},
		{"the better of two", []sasl.Token{token("ENDP"), token("EXPR")}, nil, "HT-SHA-256-EXPR", none},
		{"for a binding that this connection does not have", []sasl.Token{token("UNIQ")}, nil, "SCRAM-SHA-256", "HT-SHA-256-EXPR"},
		{"for none, and that is not named", []sasl.Token{token("NONE")}, nil, "SCRAM-SHA-256", "HT-SHA-256-EXPR"},
		{"for none, and that is named", []sasl.Token{token("NONE")}, func(c *sasl.Client, _ *tokenInfo) {
			c.Tokens.Mechanisms = []string{"HT-SHA-256-NONE"}
		}, "HT-SHA-256-NONE", none},
		{"one that binds is not sent as one that does not", []sasl.Token{token("EXPR")}, func(c *sasl.Client, _ *tokenInfo) {
			c.Tokens.Mechanisms = []string{"HT-SHA-256-NONE"}
		}, "SCRAM-SHA-256", "HT-SHA-256-NONE"},
		{"not offered any more", []sasl.Token{token("EXPR")}, func(_ *sasl.Client, s *tokenInfo) {
			s.tokens = []string{"HT-SHA-256-ENDP"}
		}, "SCRAM-SHA-256", "HT-SHA-256-ENDP"},
		{"offered in the other list", []sasl.Token{token("EXPR")}, func(_ *sasl.Client, s *tokenInfo) {
			s.Mechanisms, s.tokens = append(s.Mechanisms, s.tokens...), nil
		}, "SCRAM-SHA-256", none},
		{"not secure", []sasl.Token{token("EXPR")}, func(c *sasl.Client, s *tokenInfo) {
			s.Secure, c.Allow = false, allowAll
		}, "SCRAM-SHA-256", none},
		{"a host that is not known", []sasl.Token{token("EXPR")}, func(_ *sasl.Client, s *tokenInfo) { s.Host = "" }, "SCRAM-SHA-256", none},
		{"another host", []sasl.Token{token("EXPR")}, func(_ *sasl.Client, s *tokenInfo) { s.Host = "example.com" }, "SCRAM-SHA-256", "HT-SHA-256-EXPR"},
		{"another service", []sasl.Token{token("EXPR")}, func(_ *sasl.Client, s *tokenInfo) { s.Service = "imap" }, "SCRAM-SHA-256", "HT-SHA-256-EXPR"},
		{"not allowed", []sasl.Token{token("EXPR")}, func(c *sasl.Client, _ *tokenInfo) {
			c.Allow = func(candidate sasl.Candidate) error {
				if candidate.Name == "HT-SHA-256-EXPR" {
					return errors.New("no")
				}
				return nil
			}
		}, "SCRAM-SHA-256", "HT-SHA-256-ENDP"},
		{"binding disabled", []sasl.Token{token("EXPR")}, func(c *sasl.Client, _ *tokenInfo) { c.Binding = sasl.DisableBinding }, "SCRAM-SHA-256", none},
		{"a type that is not allowed", []sasl.Token{token("EXPR")}, func(c *sasl.Client, _ *tokenInfo) {
			c.BindingTypes = []string{"tls-server-end-point"}
		}, "SCRAM-SHA-256", "HT-SHA-256-ENDP"},
		{"binding required", []sasl.Token{token("EXPR")}, func(c *sasl.Client, _ *tokenInfo) { c.Binding = sasl.RequireBinding }, "HT-SHA-256-EXPR", none},
		{"a list of binding types that was cut says nothing about tokens", []sasl.Token{token("EXPR")}, func(_ *sasl.Client, s *tokenInfo) {
			s.Mechanisms, s.AdvertisedBindings, s.Downgrade = []string{"SCRAM-SHA-256-PLUS"}, []string{"tls-unique"}, true
		}, "HT-SHA-256-EXPR", none},
		{"somebody else logs in", []sasl.Token{token("EXPR")}, func(c *sasl.Client, _ *tokenInfo) { c.Tokens.Username = "other" }, "SCRAM-SHA-256", none},
		{"acting as somebody else", nil, func(c *sasl.Client, _ *tokenInfo) {
			c.Mechanisms[0] = sasl.SCRAM(sasl.SHA256, sasl.Password("user", "pencil").ActingAs("root"))
		}, "SCRAM-SHA-256", none},
		{"as nobody", nil, func(c *sasl.Client, s *tokenInfo) {
			c.Mechanisms, s.Mechanisms = []sasl.Mechanism{sasl.Anonymous("")}, []string{"ANONYMOUS"}
		}, "ANONYMOUS", none},
		{"as whom the server takes them for", nil, func(c *sasl.Client, s *tokenInfo) {
			c.Mechanisms, s.Mechanisms = []sasl.Mechanism{sasl.External("")}, []string{"EXTERNAL"}
		}, "EXTERNAL", "HT-SHA-256-EXPR"},
		{"invalidate what is not held", nil, func(c *sasl.Client, _ *tokenInfo) { c.Tokens.Invalidate = true }, "SCRAM-SHA-256", none},
		{"no tokens", []sasl.Token{token("EXPR")}, func(c *sasl.Client, _ *tokenInfo) { c.Tokens = nil }, "SCRAM-SHA-256", none},
	} {
		t.Run(row.name, func(t *testing.T) {
			client, store := tokenClient()
			srv := tokenInfo{tokenSrv, tokenOffer}
			srv.Mechanisms = slices.Clone(srv.Mechanisms)
			put(store, tokenAccount, row.held...)
			if row.change != nil {
				row.change(client, &srv)
			}
			var selected string
			client.Trace = func(e sasl.Event) {
				if e.Kind == sasl.EventSelected {
					selected = e.Mechanism
				}
			}
			peer := tokenPeer(sasltest.Line{Op: sasltest.ClientSends}, refuse(sasl.TemporaryAuthFailure))
			peer.Tokens = srv.tokens
			client.Authenticate(t.Context(), peer, srv.ServerInfo)
			if selected != row.sent || len(peer.Requests) != 1 {
				t.Fatalf("%s, %+v, want %s", selected, peer.Requests, row.sent)
			}
			want := sasl.TokenRequest{Mechanism: row.wanted}
			if strings.HasPrefix(row.sent, "HT-") {
				want.Count = 1
			}
			if peer.Requests[0] != want {
				t.Errorf("%+v, want %+v", peer.Requests[0], want)
			}
		})
	}
}
