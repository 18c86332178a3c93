package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestBearerError: what an error challenge becomes.
func TestBearerError(t *testing.T) {
	const limit = 16 << 10
	padded := func(octets int) string {
		start := `{"status":"invalid_token","x":"`
		return start + strings.Repeat("A", octets-len(start)-2) + `"}`
	}
	for name, row := range map[string]struct {
		json string
		want *sasl.BearerError // nil = it is not one
		text string
	}{
		"RFC 7628 section 4.3": {`{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/.well-known/openid-configuration"}`,
			&sasl.BearerError{Status: "invalid_token", Scope: "example_scope", OpenIDConfiguration: "https://example.com/.well-known/openid-configuration"},
			"authentication error: the server refused the token: status invalid_token, scope example_scope, openid-configuration https://example.com/.well-known/openid-configuration; then authentication error: refused with not-authorized: no"},
		"Google's": {`{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}` + "\n",
			&sasl.BearerError{Status: "401", Scope: "https://mail.google.com/", Schemes: "bearer mac"},
			"authentication error: the server refused the token: status 401, scope https://mail.google.com/, schemes bearer mac; then authentication error: refused with not-authorized: no"},
		"Dovecot's":              {`{"status":"invalid_token","scope":"mail","openid-configuration":""}`, &sasl.BearerError{Status: "invalid_token", Scope: "mail"}, ""},
		"an escape":              {`{"status":"in\u0076alid","\u0073cope":"s"}`, &sasl.BearerError{Status: "invalid", Scope: "s"}, ""},
		"a terminal's":           {`{"status":"\u001b[31mred\r\n","scope":"\u202es"}`, &sasl.BearerError{Status: "[31mred", Scope: "s"}, ""},
		"a long field":           {`{"status":"` + strings.Repeat("a", 600) + `"}`, &sasl.BearerError{Status: strings.Repeat("a", 512) + "…"}, ""},
		"others are ignored":     {`{"a":[1,{"status":"x"}],"status":"s","b":null,"c":1e9,"STATUS":5,"a":2}`, &sasl.BearerError{Status: "s"}, ""},
		"the limit":              {padded(limit), &sasl.BearerError{Status: "invalid_token"}, ""},
		"over the limit":         {padded(limit + 1), nil, "over 16 KiB"},
		"empty":                  {"", nil, "not a JSON object"},
		"no object":              {`"status"`, nil, "not a JSON object"},
		"an array":               {`[{"status":"s"}]`, nil, "not a JSON object"},
		"a list of two":          {`["status","s"]`, nil, "not a JSON object"},
		"null":                   {`null`, nil, "not a JSON object"},
		"cut":                    {`{"status":"s"`, nil, "not a JSON object"},
		"cut in a value":         {`{"status":"s`, nil, "not a JSON object"},
		"no value":               {`{"status":}`, nil, "not a JSON object"},
		"no colon":               {`{"status"}`, nil, "not a JSON object"},
		"something behind it":    {`{"status":"s"} {}`, nil, "not a JSON object"},
		"a brace behind it":      {`{"status":"s"}}`, nil, "not a JSON object"},
		"deep":                   {`{"a":` + strings.Repeat("[", limit-100), nil, "not a JSON object"},
		"not UTF-8":              {"{\"status\":\"\xff\"}", nil, "not a JSON object"},
		"a status twice":         {`{"status":"a","status":"b"}`, nil, "a member twice"},
		"a scope twice":          {`{"status":"a","scope":"b","scope":"b"}`, nil, "a member twice"},
		"a number":               {`{"status":401}`, nil, "not a string"},
		"a scope that is a list": {`{"status":"a","scope":["a"]}`, nil, "not a string"},
		"a scope that is null":   {`{"status":"a","scope":null}`, nil, "not a string"},
		"no status":              {`{"scope":"s"}`, nil, "no status"},
		"an empty status":        {`{"status":""}`, nil, "no status"},
		"another case":           {`{"Status":"s"}`, nil, "no status"},
	} {
		for _, dummy := range []string{"\x01", ""} {
			srv, first := bearerSrv, oauthMessage("tok")
			if dummy == "" {
				srv.Mechanisms, first = []string{"XOAUTH2"}, c("user=alice\x01auth=Bearer tok\x01\x01")
			}
			lines := []sasltest.Line{first, s(row.json), c(dummy), {Op: sasltest.Refuse, Condition: sasl.NotAuthorized}}
			if row.want == nil {
				lines = []sasltest.Line{first, s(row.json), abort}
			}
			said := &saying{sasltest.NewPeer(lines...)}
			_, err := bearerClient(sasl.FixedBearerToken("alice", "tok")).Authenticate(t.Context(), said, srv)
			if fault := said.Fault(); fault != nil {
				t.Errorf("%s: %v", name, fault)
			}
			var refusal *sasl.BearerError
			found := errors.As(err, &refusal)
			switch {
			case row.want == nil && (found || sasl.ClassOf(err) != sasl.ErrProtocol || !strings.Contains(err.Error(), row.text)):
				t.Errorf("%s: %v", name, err)
			case row.want != nil && (!found || *refusal != *row.want || sasl.ClassOf(err) != sasl.ErrAuthentication):
				t.Errorf("%s: %+v, want %+v; %v", name, refusal, row.want, err)
			case row.want != nil && row.text != "" && err.Error() != row.text+noSecond:
				t.Errorf("%s:\n%v, want\n%s", name, err, row.text+noSecond)
			}
			if row.want != nil && hints(err) != "token" {
				t.Errorf("%s: hints %q", name, hints(err))
			}
		}
	}
}

const noSecond = "; no second attempt: the source of the token cannot supply another one"

// saying is a server whose refusals have a text.
type saying struct{ *sasltest.Peer }

func (p *saying) Respond(ctx context.Context, response []byte) (sasl.Reply, error) {
	reply, err := p.Peer.Respond(ctx, response)
	var f *sasl.Failure
	if errors.As(err, &f) {
		return reply, &sasl.Failure{Condition: f.Condition, Text: "no"}
	}
	return reply, err
}

// TestBearerErrorClass: the refusal decides about the class, not the challenge.
func TestBearerErrorClass(t *testing.T) {
	for condition, want := range map[sasl.Condition]sasl.Class{
		sasl.NotAuthorized: sasl.ErrAuthentication, sasl.TemporaryAuthFailure: sasl.ErrTemporary,
		sasl.AccountDisabled: sasl.ErrAuthorization, sasl.InvalidAuthzid: sasl.ErrAuthorization,
		sasl.MalformedRequest: sasl.ErrProtocol, sasl.InvalidMechanism: sasl.ErrPolicy, "strange": sasl.ErrAuthentication,
	} {
		for _, status := range []string{"invalid_token", "500", "temporarily_unavailable"} {
			peer := sasltest.NewPeer(oauthMessage("tok"), s(`{"status":"`+status+`"}`), c("\x01"), refuse(condition))
			_, err := bearerClient(sasl.FixedBearerToken("alice", "tok")).Authenticate(t.Context(), peer, bearerSrv)
			var refusal *sasl.BearerError
			var failure *sasl.Failure
			if sasl.ClassOf(err) != want || !errors.As(err, &refusal) || refusal.Status != status || !errors.As(err, &failure) || failure.Condition != condition {
				t.Errorf("%s, %s: %v", condition, status, err)
			}
			if (hints(err) == "token") != (want == sasl.ErrAuthentication) {
				t.Errorf("%s, %s: hints %q", condition, status, hints(err))
			}
			if peer.Fault() != nil || peer.Closed() {
				t.Errorf("%s, %s: %v, closed %t", condition, status, peer.Fault(), peer.Closed())
			}
		}
	}
}

// TestBearerEchoes: a server that repeats the token, in the challenge, in a field
// that is escaped or in base64, or in the refusal, gets it into no error and no
// trace.
func TestBearerEchoes(t *testing.T) {
	escaped := ""
	for _, c := range []byte(kitToken) {
		escaped += fmt.Sprintf(`\u%04x`, c)
	}
	encoded := "ZXlKaGJHY2lPaUpJVXpJMU5pSjku" // base64 of the token's first 21 octets
	for name, lines := range map[string][]sasltest.Line{
		"in the JSON":          {s(`{"status":"` + kitToken + `"}`), c("\x01"), refuse(sasl.NotAuthorized)},
		"in another member":    {s(`{"status":"s","token":"` + kitToken + `"}`), c("\x01"), refuse(sasl.NotAuthorized)},
		"escaped":              {s(`{"status":"s","scope":"` + escaped + `"}`), c("\x01"), refuse(sasl.NotAuthorized)},
		"in base64":            {s(`{"status":"s","openid-configuration":"https://` + encoded + `"}`), c("\x01"), refuse(sasl.NotAuthorized)},
		"behind the cut":       {s(`{"status":"` + strings.Repeat("x", 500) + kitToken + `"}`), c("\x01"), refuse(sasl.NotAuthorized)},
		"our message":          {s("n,a=alice,\x01auth=Bearer " + kitToken + "\x01\x01"), abort},
		"our message as name":  {s("n,a=" + kitToken + ",\x01auth=Bearer x\x01\x01"), abort},
		"in a condition":       {refuse(sasl.Condition(kitToken))},
		"base64 in a refusal":  {refuse(sasl.Condition("BAD AUTHENTICATE " + encoded))},
		"in the last refusal":  {s(`{"status":"s"}`), c("\x01"), refuse(sasl.Condition(kitToken))},
		"in an answer that is": {s(`not JSON ` + kitToken), abort},
	} {
		var trace strings.Builder
		client := bearerClient(sasl.FixedBearerToken("alice", kitToken))
		client.Trace = func(e sasl.Event) { fmt.Fprintf(&trace, "%v %+v\n", e, e) }
		peer := sasltest.NewPeer(append([]sasltest.Line{oauthMessage(kitToken)}, lines...)...)
		_, err := client.Authenticate(t.Context(), peer, bearerSrv)
		if err == nil || peer.Fault() != nil {
			t.Errorf("%s: %v, %v", name, err, peer.Fault())
			continue
		}
		var refusal *sasl.BearerError
		errors.As(err, &refusal)
		checkSilent(t, name, fmt.Sprintf("%v %+v %#v %+v\n", err, err, err, refusal)+trace.String(), kitToken, encoded, kitToken[:24])
	}
}

// TestBearerTrace: the lines of a refused run.
func TestBearerTrace(t *testing.T) {
	var trace strings.Builder
	client := bearerClient(sasl.FixedBearerToken("alice", kitToken))
	client.Trace = func(e sasl.Event) { fmt.Fprintln(&trace, e) }
	peer := sasltest.NewPeer(oauthMessage(kitToken), s(`{"status":"invalid_token","scope":"mail"}`), c("\x01"), refuse(sasl.NotAuthorized))
	client.Authenticate(t.Context(), peer, bearerSrv)
	want := `-- OAUTHBEARER
C: name="alice" host="mail.example.org" port=993 token=…
S: status invalid_token, scope mail
C: (the answer to the error challenge)
S! not-authorized
`
	if trace.String() != want {
		t.Errorf("the trace is\n%s", trace.String())
	}
}
