package sasl_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// bearerSrv offers both mechanisms.
var bearerSrv = sasl.ServerInfo{Service: "imap", Host: "mail.example.org", Port: 993, Secure: true, Mechanisms: []string{"OAUTHBEARER", "XOAUTH2"}}

// oauthMessage is OAUTHBEARER's for alice at bearerSrv.
func oauthMessage(token string) sasltest.Line {
	return c("n,a=alice,\x01host=mail.example.org\x01port=993\x01auth=Bearer " + token + "\x01\x01")
}

func bearerClient(source sasl.BearerSource) *sasl.Client {
	return &sasl.Client{Mechanisms: sasl.BearerMechanisms(source)}
}

// TestBearerMessage: the bytes of the first message.
func TestBearerMessage(t *testing.T) {
	for name, row := range map[string]struct {
		mechanism, username, authzid string
		host                         string
		port                         int
		want                         string
	}{
		"all of it":                 {"OAUTHBEARER", "alice", "", "mail.example.org", 993, "n,a=alice,\x01host=mail.example.org\x01port=993\x01auth=Bearer tok\x01\x01"},
		"nobody is named":           {"OAUTHBEARER", "", "", "mail.example.org", 0, "n,,\x01host=mail.example.org\x01auth=Bearer tok\x01\x01"},
		"nothing is known":          {"OAUTHBEARER", "alice", "", "", 0, "n,a=alice,\x01auth=Bearer tok\x01\x01"},
		"a name with a comma":       {"OAUTHBEARER", "a,b=c", "", "", 25, "n,a=a=2Cb=3Dc,\x01port=25\x01auth=Bearer tok\x01\x01"},
		"a name in UTF-8":           {"OAUTHBEARER", "jürgen", "", "", 0, "n,a=j\xc3\xbcrgen,\x01auth=Bearer tok\x01\x01"},
		"an authzid":                {"OAUTHBEARER", "alice", "shared", "", 0, "n,a=shared,\x01auth=Bearer tok\x01\x01"},
		"a host that is not ASCII":  {"OAUTHBEARER", "alice", "", "bücher.example", 993, "n,a=alice,\x01port=993\x01auth=Bearer tok\x01\x01"},
		"a host with a separator":   {"OAUTHBEARER", "alice", "", "h\x01auth=x", 993, "n,a=alice,\x01port=993\x01auth=Bearer tok\x01\x01"},
		"XOAUTH2":                   {"XOAUTH2", "alice", "", "mail.example.org", 993, "user=alice\x01auth=Bearer tok\x01\x01"},
		"XOAUTH2 for a shared box":  {"XOAUTH2", "alice", "shared", "", 0, "user=shared\x01auth=Bearer tok\x01\x01"},
		"XOAUTH2 does not escape":   {"XOAUTH2", "a,b=c", "", "", 0, "user=a,b=c\x01auth=Bearer tok\x01\x01"},
		"XOAUTH2 and authzid alone": {"XOAUTH2", "", "shared", "", 0, "user=shared\x01auth=Bearer tok\x01\x01"},
	} {
		srv := sasl.ServerInfo{Host: row.host, Port: row.port, Secure: true, Mechanisms: []string{row.mechanism}}
		peer := sasltest.NewPeer(c(row.want), succeed)
		client := bearerClient(sasl.FixedBearerToken(row.username, "tok").ActingAs(row.authzid))
		result, err := client.Authenticate(t.Context(), peer, srv)
		if err != nil || result.Mechanism != row.mechanism || result.Username != row.username || result.Authzid != row.authzid {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
		if err := peer.Fault(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBearerTokenRefusedHere: what cannot be sent is an ErrConfig, and nothing is
// sent.
func TestBearerTokenRefusedHere(t *testing.T) {
	token := func(username, authzid, token string) sasl.BearerSource {
		return sasl.FixedBearerToken(username, token).ActingAs(authzid)
	}
	for name, row := range map[string]struct {
		source sasl.BearerSource
		srv    string // the mechanism; "" = either
		text   string
	}{
		"no source":             {nil, "", "has no source"},
		"no token":              {token("alice", "", ""), "", "the token is empty"},
		"a separator":           {token("alice", "", "a\x01host=evil"), "", "RFC 6750"},
		"a blank":               {token("alice", "", "a b"), "", "RFC 6750"},
		"a line end":            {token("alice", "", "tok\n"), "", "RFC 6750"},
		"padding alone":         {token("alice", "", "=="), "", "RFC 6750"},
		"padding inside":        {token("alice", "", "a=b"), "", "RFC 6750"},
		"not ASCII":             {token("alice", "", "tök"), "", "RFC 6750"},
		"an empty URI":          {token("alice", "", "secret-token:"), "", "RFC 6750"},
		"a URI with a blank":    {token("alice", "", "secret-token:a b"), "", "RFC 6750"},
		"a URI with a quote":    {token("alice", "", `secret-token:"tok"`), "", "RFC 6750"},
		"another URI":           {token("alice", "", "urn:example:tok"), "", "RFC 6750"},
		"a quote":               {token("alice", "", `"tok"`), "", "RFC 6750"},
		"too long":              {token("alice", "", strings.Repeat("a", 32<<10+1)), "", "over 32 KiB"},
		"separator in the name": {token("a\x01auth=Bearer x", "", "tok"), "", "control-A"},
		"in the authzid":        {token("alice", "a\x01b", "tok"), "", "control-A"},
		"a NUL":                 {token("a\x00b", "", "tok"), "", "NUL"},
		"not UTF-8":             {token("a\xff", "", "tok"), "", "UTF-8"},
		"a long name":           {token(strings.Repeat("a", 1025), "", "tok"), "", "over 1 KiB"},
		"nobody":                {token("", "", "tok"), "XOAUTH2", "no username"},
	} {
		for _, mechanism := range bearerSrv.Mechanisms {
			if row.srv != "" && row.srv != mechanism {
				continue
			}
			srv := bearerSrv
			srv.Mechanisms = []string{mechanism}
			peer := sasltest.NewPeer()
			_, err := bearerClient(row.source).Authenticate(t.Context(), peer, srv)
			if sasl.ClassOf(err) != sasl.ErrConfig || !strings.Contains(err.Error(), row.text) {
				t.Errorf("%s, %s: %v", name, mechanism, err)
			}
			if err := peer.Fault(); err != nil || hints(err) != "" {
				t.Errorf("%s, %s: %v", name, mechanism, err)
			}
		}
	}
	for _, good := range []string{strings.Repeat("a", 32<<10), "a", "AZaz09-._~+/", "tok=", "ya29.a0===",
		"secret-token:E92FB7EB-D882-47A4-A265-A0B6135DC842%20foo",                                       // RFC 8959 section 2
		"secret-token:MjtLWkZwZ1k3eWpTSVI79018/gelXRhiQWbAQV3B37ymO2FsaWNlQHNoYTI1Ni5wcm9zb2R5LnRlc3Q=", // of Prosody 13
	} {
		peer := sasltest.NewPeer(oauthMessage(good), succeed)
		if _, err := bearerClient(token("alice", "", good)).Authenticate(t.Context(), peer, bearerSrv); err != nil || peer.Fault() != nil {
			t.Errorf("%.20s: %v, %v", good, err, peer.Fault())
		}
	}
}

// TestNoFallbackFromToken shows that no password follows a token, for every outcome
// and every ladder.
func TestNoFallbackFromToken(t *testing.T) {
	down := errors.New("the authorization server is down")
	srv := bearerSrv
	srv.Mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2"}
	for name, row := range map[string]struct {
		source sasl.BearerSource
		lines  []sasltest.Line
		class  sasl.Class
		left   string // what the error says may still be used
	}{
		"the source fails": {func(context.Context, sasl.Prompt) (sasl.BearerToken, error) { return sasl.BearerToken{}, down }, nil, sasl.ErrConfig, ""},
		"the source is temporarily down": {func(context.Context, sasl.Prompt) (sasl.BearerToken, error) {
			return sasl.BearerToken{}, sasl.ErrTemporary
		}, nil, sasl.ErrTemporary, ""},
		"refused":              {sasl.FixedBearerToken("alice", "tok"), []sasltest.Line{oauthMessage("tok"), refuse(sasl.NotAuthorized)}, sasl.ErrAuthentication, "SCRAM-SHA-256"},
		"too weak":             {sasl.FixedBearerToken("alice", "tok"), []sasltest.Line{oauthMessage("tok"), refuse(sasl.MechanismTooWeak)}, sasl.ErrAuthentication, "SCRAM-SHA-256"},
		"not offered any more": {sasl.FixedBearerToken("alice", "tok"), []sasltest.Line{oauthMessage("tok"), refuse(sasl.InvalidMechanism)}, sasl.ErrPolicy, "SCRAM-SHA-256"},
	} {
		client := &sasl.Client{Mechanisms: append(sasl.BearerMechanisms(row.source), sasl.PasswordMechanisms(pencil)...)}
		peer := sasltest.NewPeer(row.lines...)
		_, err := client.Authenticate(t.Context(), peer, srv)
		if sasl.ClassOf(err) != row.class || peer.Fault() != nil {
			t.Errorf("%s: %v, %v", name, err, peer.Fault())
		}
		var login *sasl.LoginError
		if errors.As(err, &login); row.left != "" && strings.Join(login.NotTried, " ") != row.left {
			t.Errorf("%s: not tried %q", name, login.NotTried)
		}
	}
	// The server's list decides: without one for tokens, the password is used.
	client := &sasl.Client{Mechanisms: append(sasl.BearerMechanisms(sasl.FixedBearerToken("alice", "tok")), sasl.Plain(pencil))}
	if _, err := client.Authenticate(t.Context(), sasltest.NewPeer(c("\x00user\x00pencil"), succeed), plainServer); err != nil {
		t.Error(err)
	}
}

// TestBearerNotConfigured shows the error for a server that offers only these
// mechanisms: it says that they are not configured.
func TestBearerNotConfigured(t *testing.T) {
	_, err := plainClient("secret").Authenticate(t.Context(), sasltest.NewPeer(), bearerSrv)
	if sasl.ClassOf(err) != sasl.ErrPolicy || !strings.Contains(err.Error(), "OAUTHBEARER XOAUTH2: not configured") {
		t.Error(err)
	}
}

// TestBearerInsecure: a token goes to no server that is not verified.
func TestBearerInsecure(t *testing.T) {
	srv := bearerSrv
	srv.Secure = false
	peer := sasltest.NewPeer()
	if _, err := bearerClient(sasl.FixedBearerToken("alice", "tok")).Authenticate(t.Context(), peer, srv); sasl.ClassOf(err) != sasl.ErrPolicy || peer.Fault() != nil {
		t.Errorf("%v, %v", err, peer.Fault())
	}
}

// TestBearerSentAgain: a server that asks for the message with an empty challenge
// has not read it.
func TestBearerSentAgain(t *testing.T) {
	session, err := bearerClient(sasl.FixedBearerToken("alice", "tok")).Begin(t.Context(), bearerSrv)
	if err != nil {
		t.Fatal(err)
	}
	_, initial, err := session.Start()
	if err != nil {
		t.Fatal(err)
	}
	session.SentInline(initial)
	again, err := session.Respond([]byte{})
	if err != nil || string(again) != string(oauthMessage("tok").Data) {
		t.Errorf("%q, %v", again, err)
	}
	if err := session.Finish(nil); err != nil {
		t.Error(err)
	}
}
