package sasl_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

var tokenConn = sasl.ConnInfo{
	Service: "xmpp", Host: "example.org", Secure: true,
	Bindings: []sasl.ChannelBinding{exporter},
}

// phone is the account of the client with the id phone.
var phone = sasl.TokenAccount{Service: "xmpp", Host: "example.org", Username: "user", ClientID: "phone"}

// issuer is a server that accepts tokens, and accepts PLAIN from every user.
func issuer() (*sasl.Server, *sasl.MemoryTokens) {
	store := new(sasl.MemoryTokens)
	return &sasl.Server{SuccessData: true, Mechanisms: []sasl.ServerMechanism{
		sasl.PlainServer(accept),
		sasl.AnonymousServer(func(context.Context, string) (string, error) { return "guest", nil }),
	}, Tokens: &sasl.ServerTokens{Store: store, Mechanisms: []string{"HT-SHA-256-EXPR", "HT-SHA-256-UNIQ", "HT-SHA-256-NONE", "HT-SHA-256-ELSE"}}}, store
}

var usedByPhone = sasl.TokenUse{ClientID: "phone"}

// TestOfferTokens shows that the server lists the mechanisms for tokens separately,
// and only on a secure connection with the mechanism's channel binding. Begin refuses
// a mechanism that is not in the list.
func TestOfferTokens(t *testing.T) {
	server, _ := issuer()
	server.Insecure = []string{"PLAIN", "HT-SHA-256-NONE"}
	for class, id := range map[sasl.Class]string{sasl.ErrPolicy: "", sasl.ErrProtocol: "a\x00"} {
		if _, err := server.BeginWithToken(t.Context(), tokenConn, sasl.TokenUse{ClientID: id}, "HT-SHA-256-NONE"); sasl.ClassOf(err) != class {
			t.Errorf("the client %q: %v", id, err)
		}
	}
	if _, err := server.Begin(t.Context(), tokenConn, "HT-SHA-256-NONE"); sasl.ClassOf(err) != sasl.ErrPolicy {
		t.Errorf("a client that says nothing about tokens: %v", err)
	}
	empty := tokenConn
	empty.Bindings = []sasl.ChannelBinding{{Type: "tls-exporter"}, {Type: "", Data: []byte("x")}}
	for _, row := range []struct {
		conn sasl.ConnInfo
		want []string
	}{
		{tokenConn, []string{"HT-SHA-256-EXPR", "HT-SHA-256-NONE"}},
		{empty, []string{"HT-SHA-256-NONE"}},
		{sasl.ConnInfo{Bindings: tokenConn.Bindings}, nil},
	} {
		if got := server.Offer(row.conn); !slices.Equal(got, []string{"PLAIN", "ANONYMOUS"}) {
			t.Errorf("Offer: %q", got)
		}
		if got := server.OfferTokens(row.conn); !slices.Equal(got, row.want) {
			t.Errorf("OfferTokens: %q, want %q", got, row.want)
		}
		for _, name := range server.Tokens.Mechanisms {
			_, err := server.BeginWithToken(t.Context(), row.conn, usedByPhone, name)
			if offered := slices.Contains(row.want, name); offered != (err == nil) || err != nil && !errors.Is(err, sasl.ErrPolicy) {
				t.Errorf("BeginWithToken(%s): %v", name, err)
			}
		}
	}
}

// TestTokenUse shows the token that a message matches, the remaining tokens, and the
// server's answer to the client.
func TestTokenUse(t *testing.T) {
	now := time.Now()
	at := func(token sasl.Token, hours int, count uint64) sasl.Token {
		token.Expiry, token.Count = now.Add(time.Duration(hours)*time.Hour), count
		return token
	}
	other := sasl.Token{Mechanism: "HT-SHA-256-EXPR", Secret: sasl.NewSecret("the other token")}
	const ours = "HT-SHA-256-EXPR " + tokenText
	for _, row := range []struct {
		name  string
		held  []sasl.Token
		use   sasl.TokenUse // except the client
		class sasl.Class
		kept  string
	}{
		{"the only one", []sasl.Token{token("EXPR")}, sasl.TokenUse{}, "", ours + " 0;"},
		{"the first of two, the other stays", []sasl.Token{at(token("EXPR"), 1, 0), at(other, 2, 0)}, sasl.TokenUse{}, "", ours + " 0;HT-SHA-256-EXPR the other token 0;"},
		{"the second, which ends the first", []sasl.Token{at(other, 1, 0), at(token("EXPR"), 2, 0)}, sasl.TokenUse{}, "", ours + " 0;"},
		{"the second, whenever the first expires", []sasl.Token{at(other, 2, 0), at(token("EXPR"), 1, 0)}, sasl.TokenUse{}, "", ours + " 0;"},
		{"and if it never does", []sasl.Token{other, at(token("EXPR"), 1, 0)}, sasl.TokenUse{}, "", ours + " 0;"},
		{"the first, and the second expires before it", []sasl.Token{at(token("EXPR"), 2, 0), at(other, 1, 0)}, sasl.TokenUse{}, "", ours + " 0;"},
		{"the first, and the second never expires", []sasl.Token{at(token("EXPR"), 1, 0), other}, sasl.TokenUse{}, "", ours + " 0;HT-SHA-256-EXPR the other token 0;"},
		{"counted", []sasl.Token{token("EXPR")}, sasl.TokenUse{Count: 7}, "", ours + " 7;"},
		{"a count that is late", []sasl.Token{at(token("EXPR"), 1, 7)}, sasl.TokenUse{Count: 5}, "", ours + " 7;"},
		{"early, and the count rises", []sasl.Token{at(token("EXPR"), 1, 7)}, sasl.TokenUse{Count: 8, EarlyData: true}, "", ours + " 8;"},
		{"early, and it does not", []sasl.Token{at(token("EXPR"), 1, 7)}, sasl.TokenUse{Count: 7, EarlyData: true}, sasl.ErrSecurity, ours + " 7;"},
		{"early, and there is none", []sasl.Token{token("EXPR")}, sasl.TokenUse{EarlyData: true}, sasl.ErrSecurity, ours + " 0;"},
		{"invalidated", []sasl.Token{at(token("EXPR"), 1, 0), at(other, 2, 0)}, sasl.TokenUse{Invalidate: true}, "", "HT-SHA-256-EXPR the other token 0;"},
		{"invalidated, and no older one is left", []sasl.Token{other, at(token("EXPR"), 1, 0)}, sasl.TokenUse{Invalidate: true}, "", ""},
		{"expired", []sasl.Token{at(token("EXPR"), -1, 0), at(other, 2, 0)}, sasl.TokenUse{}, sasl.ErrAuthentication, "HT-SHA-256-EXPR the other token 0;"},
		{"for another mechanism", []sasl.Token{token("NONE")}, sasl.TokenUse{}, sasl.ErrAuthentication, "HT-SHA-256-NONE " + tokenText + " 0;"},
		{"another's", []sasl.Token{other}, sasl.TokenUse{}, sasl.ErrAuthentication, "HT-SHA-256-EXPR the other token 0;"},
		{"none", nil, sasl.TokenUse{}, sasl.ErrAuthentication, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			server, store := issuer()
			put(store, phone, row.held...)
			row.use.ClientID = "phone"
			session, err := server.BeginWithToken(t.Context(), tokenConn, row.use, "HT-SHA-256-EXPR")
			if err != nil {
				t.Fatal(err)
			}
			answer, done, err := session.Respond(t.Context(), []byte(boundInitiator))
			if sasl.ClassOf(err) != row.class || done != (row.class == "") || done != (string(answer) == boundResponder) {
				t.Errorf("%q, done %t, %v, want class %q", answer, done, err, row.class)
			}
			if failure := new(sasl.Failure); row.name == "expired" && (!errors.As(err, &failure) || failure.Condition != sasl.CredentialsExpired) {
				t.Errorf("%v does not say that it has expired", err)
			}
			if result := session.Result(); done && (result.Username != "user" || result.Binding != "tls-exporter") {
				t.Errorf("result %+v", result)
			}
			if kept := list(held(t, store, phone)); kept != row.kept {
				t.Errorf("kept %q, want %q", kept, row.kept)
			}
		})
	}
}

// TestTokenOracle shows that the server refuses an unknown user, another client and a
// wrong token with the same text.
func TestTokenOracle(t *testing.T) {
	var reasons []string
	for _, row := range []struct{ message, client string }{
		{"nobody" + boundInitiator[4:], "phone"},
		{boundInitiator, "laptop"},
		{boundInitiator[:len(boundInitiator)-1] + "x", "phone"},
	} {
		server, store := issuer()
		put(store, phone, token("EXPR"))
		session, err := server.BeginWithToken(t.Context(), tokenConn, sasl.TokenUse{ClientID: row.client}, "HT-SHA-256-EXPR")
		if err != nil {
			t.Fatal(err)
		}
		challenge, done, err := session.Respond(t.Context(), []byte(row.message))
		if err == nil || done || challenge != nil {
			t.Fatalf("%q, %t, %v", challenge, done, err)
		}
		reasons = append(reasons, err.Error())
	}
	if slices.Sort(reasons); reasons[0] != reasons[2] {
		t.Errorf("%q", reasons)
	}
}

// fixed is a store that has the same tokens for every account.
type fixed []sasl.Token

func (f fixed) Update(_ context.Context, _ sasl.TokenAccount, change func([]sasl.Token) []sasl.Token) error {
	change(f)
	return nil
}

// TestTokenWork shows that a refusal is the same amount of work for an unknown user,
// for a user with one token and for a user with two tokens.
func TestTokenWork(t *testing.T) {
	wrong := []byte(boundInitiator[:len(boundInitiator)-1] + "x")
	issued := sasl.NewToken("HT-SHA-256-EXPR", time.Time{})
	var allocations []float64
	for _, held := range []fixed{nil, {issued}, {issued, issued}} {
		server := &sasl.Server{SuccessData: true, Tokens: &sasl.ServerTokens{Store: held, Mechanisms: []string{"HT-SHA-256-EXPR"}}}
		allocations = append(allocations, testing.AllocsPerRun(100, func() {
			session, err := server.BeginWithToken(t.Context(), tokenConn, usedByPhone, "HT-SHA-256-EXPR")
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := session.Respond(t.Context(), wrong); sasl.ClassOf(err) != sasl.ErrAuthentication {
				t.Error(err)
			}
		}))
	}
	// One HMAC has eight allocations; the race detector adds its own allocations.
	if least, most := slices.Min(allocations), slices.Max(allocations); most-least > 3 {
		t.Errorf("allocations %v", allocations)
	}
}

// TestTokenWithoutKey shows that an empty token in a store is an invalid key, although
// HMAC accepts an empty key. Python's hmac computed the message.
func TestTokenWithoutKey(t *testing.T) {
	server, store := issuer()
	put(store, phone, sasl.Token{Mechanism: "HT-SHA-256-EXPR"})
	session, err := server.BeginWithToken(t.Context(), tokenConn, usedByPhone, "HT-SHA-256-EXPR")
	if err != nil {
		t.Fatal(err)
	}
	const forged = "user\x00\xee\x6c\x6f\x78\x7e\xd0\x0c\x43\x19\x3d\x46\xab\x41\x17\x77\xa0\xd3\x30\x33\x15\xfd\x1b\x62\xf0\x56\xe5\xc4\x50\xc4\xfe\xc6\x20"
	if _, done, err := session.Respond(t.Context(), []byte(forged)); done || !errors.Is(err, sasl.ErrAuthentication) {
		t.Errorf("done %t, %v", done, err)
	}
}
