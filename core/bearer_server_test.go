package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestBearerServerGrammar: what a server takes for a message, and what the verifier
// gets to see of it.
func TestBearerServerGrammar(t *testing.T) {
	const tail = "\x01\x01"
	for _, row := range []struct {
		mechanism, message string
		want               string // token, host, port and authzid; "" = ErrProtocol
	}{
		{"OAUTHBEARER", "n,,\x01auth=Bearer tok" + tail, "tok  0 "},
		{"OAUTHBEARER", "y,a=a=2Cb=3Dc,\x01host=h\x01port=143\x01auth=Bearer tok=" + tail, "tok= h 143 a,b=c"},
		{"OAUTHBEARER", "n,,\x01port=65535\x01auth=bEARER  a-._~+/b" + tail, "a-._~+/b  65535 "},
		{"OAUTHBEARER", "n,,\x01mthd=POST\x01path=/\x01post=\x01qs=a=b\x01X=\t \r\n~\x01X=twice\x01auth=Bearer tok\x01host=" + tail, "tok  0 "},
		{"OAUTHBEARER", "n,,\x01auth=Bearer secret-token:a%20b/c@d" + tail, "secret-token:a%20b/c@d  0 "},
		{"OAUTHBEARER", "n,,\x01auth=Bearer secret-token:" + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer secret-token:a b" + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer urn:tok" + tail, ""},
		{"OAUTHBEARER", "", ""},
		{"OAUTHBEARER", "\x01", ""},
		{"OAUTHBEARER", "auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "p=tls-exporter,,\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "x,,\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "F,n,,\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,b=x,\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,a=,\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,a=a=2c,\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,a=a\x01b,\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,a=\xff,\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer tok\x01", ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer tok", ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer tok" + tail + "x", ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer tok" + tail + "\x01", ""},
		{"OAUTHBEARER", "n,,\x01\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01\x01", ""},
		{"OAUTHBEARER", "n,,\x01host=h\x01\x01", ""},
		{"OAUTHBEARER", "n,,\x01auth=" + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer" + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer " + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer  " + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearertok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Basic tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth= Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer tok " + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer t ok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer t=k" + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer ==" + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer tok\x00" + tail, ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer tok\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01host=a\x01host=a\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01host=\x7f\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01host=\xc3\xbc\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01k1=x\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01=x\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01host\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01port=\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01port=0\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01port=0143\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01port=+143\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01port=65536\x01auth=Bearer tok" + tail, ""},
		{"OAUTHBEARER", "n,,\x01port=1_4\x01auth=Bearer tok" + tail, ""},

		{"XOAUTH2", "user=alice\x01auth=Bearer tok" + tail, "tok  0 alice"},
		{"XOAUTH2", "user=a,b=c\x01auth=bearer tok" + tail, "tok  0 a,b=c"},
		{"XOAUTH2", "", ""},
		{"XOAUTH2", "user=\x01auth=Bearer tok" + tail, ""},
		{"XOAUTH2", "auth=Bearer tok" + tail, ""},
		{"XOAUTH2", "auth=Bearer tok\x01user=alice" + tail, ""},
		{"XOAUTH2", "User=alice\x01auth=Bearer tok" + tail, ""},
		{"XOAUTH2", "user=alice\x01Auth=Bearer tok" + tail, ""},
		{"XOAUTH2", "user=alice\x01auth=Bearer tok\x01", ""},
		{"XOAUTH2", "user=alice\x01auth=Bearer tok", ""},
		{"XOAUTH2", "user=alice\x01auth=Bearer tok" + tail + "\x01", ""},
		{"XOAUTH2", "user=alice\x01auth=Bearer tok" + tail + "x", ""},
		{"XOAUTH2", "user=alice\x01auth=Bearer tok\x01x\x01", ""},
		{"XOAUTH2", "user=alice\x01x=y\x01auth=Bearer tok" + tail, ""},
		{"XOAUTH2", "user=alice\x01auth=Basic tok" + tail, ""},
		{"XOAUTH2", "user=alice\x01auth=Bearer t\x7fk" + tail, ""},
		{"XOAUTH2", "user=a\x00b\x01auth=Bearer tok" + tail, ""},
		{"XOAUTH2", "user=\xff\x01auth=Bearer tok" + tail, ""},
		{"XOAUTH2", "user=" + strings.Repeat("a", 1025) + "\x01auth=Bearer tok" + tail, ""},
	} {
		got := ""
		verify := func(_ context.Context, login sasl.BearerLogin) (string, error) {
			if login.Conn.Host != "mail.example.org" {
				t.Errorf("the connection is %+v", login.Conn)
			}
			got = fmt.Sprintf("%s %s %d ", login.Token.Bytes(), login.Host, login.Port)
			return "alice", nil
		}
		server := &sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.OAuthBearerServer(verify), sasl.XOAuth2Server(verify)}}
		server.Authorize = func(_ context.Context, id sasl.Identity, _ sasl.ConnInfo) error {
			got += id.Authzid
			return nil
		}
		session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true, Host: "mail.example.org"}, row.mechanism)
		if err != nil {
			t.Fatal(err)
		}
		challenge, done, err := session.Respond(t.Context(), []byte(row.message))
		switch {
		case row.want == "" && (sasl.ClassOf(err) != sasl.ErrProtocol || got != "" || challenge != nil):
			t.Errorf("%s %q: %q, %v; verified %q", row.mechanism, row.message, challenge, err, got)
		case row.want != "" && (err != nil || !done || challenge != nil || got != row.want):
			t.Errorf("%s %q: %q, %t, %v; %q, want %q", row.mechanism, row.message, challenge, done, err, got, row.want)
		}
		if done && session.Result().Username != "alice" {
			t.Errorf("%+v", session.Result())
		}
	}
}

// TestBearerServerRefuses shows the challenge, the class of the refusal and the call
// of Server.Refused for each error of a verifier.
func TestBearerServerRefuses(t *testing.T) {
	down := errors.New("introspection is down")
	all := &sasl.BearerError{Status: "insufficient_scope", Scope: "mail", OpenIDConfiguration: "https://id.example/.well-known/openid-configuration?a=b&c", Schemes: "bearer mac"}
	for name, row := range map[string]struct {
		err           error
		oauth, xoauth string // the challenges; "" = refused without one
		class         sasl.Class
	}{
		"all fields": {all,
			`{"status":"insufficient_scope","scope":"mail","openid-configuration":"https://id.example/.well-known/openid-configuration?a=b&c"}`,
			`{"status":"403","schemes":"bearer mac","scope":"mail"}`, sasl.ErrAuthentication},
		"no field":              {new(sasl.BearerError), `{"status":"invalid_token"}`, `{"status":"401","schemes":"bearer"}`, sasl.ErrAuthentication},
		"a request":             {&sasl.BearerError{Status: "invalid_request"}, `{"status":"invalid_request"}`, `{"status":"400","schemes":"bearer"}`, sasl.ErrAuthentication},
		"wrapped":               {fmt.Errorf("%w: %w", down, all), `{"status":"insufficient_scope","scope":"mail","openid-configuration":"https://id.example/.well-known/openid-configuration?a=b&c"}`, `{"status":"403","schemes":"bearer mac","scope":"mail"}`, sasl.ErrAuthentication},
		"a status of HTTP":      {&sasl.BearerError{Status: "418"}, `{"status":"418"}`, `{"status":"418","schemes":"bearer"}`, sasl.ErrAuthentication},
		"a quote and a control": {&sasl.BearerError{Status: "a\"\x1b", Scope: strings.Repeat("s", 600)}, `{"status":"a\"","scope":"` + strings.Repeat("s", 512) + `…"}`, `{"status":"a\"","schemes":"bearer","scope":"` + strings.Repeat("s", 512) + `…"}`, sasl.ErrAuthentication},
		"the class alone":       {sasl.ErrAuthentication, `{"status":"invalid_token"}`, `{"status":"401","schemes":"bearer"}`, sasl.ErrAuthentication},
		"introspection is down": {down, "", "", sasl.ErrTemporary},
		"another class":         {fmt.Errorf("%w: disabled", sasl.ErrAuthorization), "", "", sasl.ErrAuthorization},
		"no name":               {nil, "", "", sasl.ErrConfig},
	} {
		for mechanism, want := range map[string]string{"OAUTHBEARER": row.oauth, "XOAUTH2": row.xoauth} {
			var told []error
			verify := func(context.Context, sasl.BearerLogin) (string, error) { return "", row.err }
			server := &sasl.Server{
				Mechanisms: []sasl.ServerMechanism{sasl.OAuthBearerServer(verify), sasl.XOAuth2Server(verify)},
				Refused:    func(_ string, _ sasl.ConnInfo, reason error) { told = append(told, reason) },
				Authorize: func(context.Context, sasl.Identity, sasl.ConnInfo) error {
					t.Errorf("%s: asked for authorization", name)
					return nil
				},
			}
			message, dummy := "n,,\x01auth=Bearer tok\x01\x01", "\x01"
			if mechanism == "XOAUTH2" {
				message, dummy = "user=alice\x01auth=Bearer tok\x01\x01", ""
			}
			session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true}, mechanism)
			if err != nil {
				t.Fatal(err)
			}
			challenge, done, err := session.Respond(t.Context(), []byte(message))
			if string(challenge) != want || done || (err == nil) != (want != "") {
				t.Errorf("%s, %s: %q, %t, %v, want %q", name, mechanism, challenge, done, err, want)
			}
			if want != "" { // the client may not come back, so Refused has been called
				if len(told) != 1 {
					t.Errorf("%s, %s: told %v", name, mechanism, told)
				}
				_, done, err = session.Respond(t.Context(), []byte(dummy))
			}
			if sasl.ClassOf(err) != row.class || done || len(told) != 1 || sasl.ClassOf(told[0]) != row.class {
				t.Errorf("%s, %s: %v, told %v", name, mechanism, err, told)
			}
			if row.err != nil && !errors.Is(err, row.err) {
				t.Errorf("%s, %s: %v does not wrap %v", name, mechanism, err, row.err)
			}
		}
	}
}

// TestBearerServerDummy: only one answer to the error challenge is right, and none
// leads anywhere.
func TestBearerServerDummy(t *testing.T) {
	verify := func(context.Context, sasl.BearerLogin) (string, error) { return "", new(sasl.BearerError) }
	server := &sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.OAuthBearerServer(verify), sasl.XOAuth2Server(verify)}}
	for mechanism, message := range map[string]string{"OAUTHBEARER": "n,,\x01auth=Bearer tok\x01\x01", "XOAUTH2": "user=alice\x01auth=Bearer tok\x01\x01"} {
		right := map[string]string{"OAUTHBEARER": "\x01", "XOAUTH2": ""}[mechanism]
		for _, answer := range []string{"", "\x01", "\x01\x01", "x", message, strings.Repeat("x", 65537)} {
			session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true}, mechanism)
			if err != nil {
				t.Fatal(err)
			}
			session.Respond(t.Context(), []byte(message))
			want := sasl.ErrProtocol
			if answer == right {
				want = sasl.ErrAuthentication
			}
			_, done, err := session.Respond(t.Context(), []byte(answer))
			if done || sasl.ClassOf(err) != want {
				t.Errorf("%s, %.8q: %t, %v", mechanism, answer, done, err)
			}
			if _, done, again := session.Respond(t.Context(), []byte(message)); done || again == nil || again.Error() != err.Error() {
				t.Errorf("%s: afterwards %t, %v", mechanism, done, again)
			}
		}
	}
}

// TestBearerServerAuthorizes: the authzid is checked, in canonical form, and last.
func TestBearerServerAuthorizes(t *testing.T) {
	verify := func(context.Context, sasl.BearerLogin) (string, error) { return "I\u00ADX", nil }
	server := &sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.OAuthBearerServer(verify), sasl.XOAuth2Server(verify)}}
	for message, want := range map[string]sasl.Class{
		"n,a=IX,\x01auth=Bearer tok\x01\x01":     "",
		"n,,\x01auth=Bearer tok\x01\x01":         "",
		"n,a=root,\x01auth=Bearer tok\x01\x01":   sasl.ErrAuthorization,
		"n,a=\x07,\x01auth=Bearer tok\x01\x01":   sasl.ErrProtocol,
		"user=I\u00ADX\x01auth=Bearer t\x01\x01": "",
		"user=root\x01auth=Bearer tok\x01\x01":   sasl.ErrAuthorization,
	} {
		mechanism := "OAUTHBEARER"
		if strings.HasPrefix(message, "user=") {
			mechanism = "XOAUTH2"
		}
		session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true}, mechanism)
		if err != nil {
			t.Fatal(err)
		}
		challenge, done, err := session.Respond(t.Context(), []byte(message))
		if sasl.ClassOf(err) != want || done != (want == "") || challenge != nil {
			t.Errorf("%q: %q, %t, %v", message, challenge, done, err)
		}
		if done && session.Result().Username != "IX" {
			t.Errorf("%q: %+v", message, session.Result())
		}
	}
	if offered := server.Offer(sasl.ConnInfo{}); len(offered) > 0 {
		t.Errorf("without TLS, %q is offered", offered)
	}
	if offered := server.Offer(sasl.ConnInfo{Secure: true}); !slices.Equal(offered, []string{"OAUTHBEARER", "XOAUTH2"}) {
		t.Errorf("%q is offered", offered)
	}
}
