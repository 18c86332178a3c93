package integration

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// bearerRow is a login with a token.
type bearerRow struct {
	username, token string
	status          string // of OAUTHBEARER's error challenge; "" = there is none
	number          string // of XOAUTH2's
	ok              bool
}

const discovery = "https://id.example.org/.well-known/openid-configuration"

// jwtRows are tokens that Dovecot validates by itself.
func jwtRows(issuer *harness.Issuer) map[string]bearerRow {
	signed := func(claim string, value any) string { return issuer.Token(map[string]any{claim: value}) }
	return map[string]bearerRow{
		"right":           {"alice", issuer.Token(nil), "", "", true},
		"3 KiB":           {"alice", signed("groups", strings.Repeat("g", 2<<10)), "", "", true},
		"expired":         {"alice", signed("exp", time.Now().Add(-time.Hour).Unix()), "invalid_token", "401", false},
		"foreign":         {"alice", harness.NewIssuer().Token(nil), "invalid_token", "401", false},
		"another issuer":  {"alice", signed("iss", "https://evil.example"), "invalid_token", "401", false},
		"another scope":   {"alice", signed("scope", "calendar"), "invalid_token", "401", false},
		"no JWT":          {"alice", "ya29.of-another-kind", "invalid_token", "401", false},
		"of another user": {"bob", issuer.Token(nil), "", "", false},
	}
}

// check compares the outcome of a login by either mechanism with the row, and looks for
// the token in the trace and the error.
func (r bearerRow) check(t *testing.T, name, mechanism, discovery string, result sasl.Result, err error, trace []string) {
	t.Helper()
	shown := strings.Join(trace, "\n")
	if err != nil {
		shown += err.Error()
	}
	if repeatsToken(shown, r.token) {
		t.Errorf("%s, %s: the token is in %s", mechanism, name, shown)
	}
	if r.ok {
		if err != nil || result != (sasl.Result{Mechanism: mechanism, Username: r.username, RoundTrips: result.RoundTrips}) {
			t.Errorf("%s, %s: %+v, %v", mechanism, name, result, err)
		}
		return
	}
	want := sasl.BearerError{Status: r.status, Scope: "mail", OpenIDConfiguration: discovery}
	if mechanism == "XOAUTH2" {
		want.Status, want.Schemes = r.number, "bearer"
	}
	var refusal *sasl.BearerError
	switch found := errors.As(err, &refusal); {
	case sasl.ClassOf(err) != sasl.ErrAuthentication || hints(err) != "token":
		t.Errorf("%s, %s: %v, hints %q", mechanism, name, err, hints(err))
	case found != (r.status != "") || found && *refusal != want:
		t.Errorf("%s, %s: %+v, want %+v", mechanism, name, refusal, want)
	}
}

// repeatsToken reports whether a text contains a part of a token, also in base64.
func repeatsToken(text, token string) bool {
	found := strings.Contains(text, token)
	for i := range min(3, len(token)-15) { // where a group of base64 can begin
		found = found || strings.Contains(text, base64(token[len(token)-15-i:len(token)-i]))
	}
	return found || strings.Contains(text, token[strings.LastIndexByte(token, '.')+1:])
}

// traced returns a Client with one mechanism, and what it traces.
func traced(m sasl.Mechanism) (auth *sasl.Client, trace *[]string) {
	trace = new([]string)
	return &sasl.Client{
		Mechanisms: []sasl.Mechanism{m},
		Trace:      func(e sasl.Event) { *trace = append(*trace, e.String()) },
	}, trace
}

// lines records the lines of a client that contain a word.
type lines struct {
	mutex sync.Mutex
	list  []string
}

func (l *lines) record(line, word string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if strings.Contains(line, word) {
		l.list = append(l.list, line)
	}
}

func (l *lines) count() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return len(l.list)
}

// logins records the lines with which a client begins to authenticate.
func (l *lines) logins(line string, _ bool) string {
	l.record(line, "AUTH")
	return line
}

// renewed is a source whose first token is followed by another one if the server refuses
// it.
func renewed(username, first, next string) sasl.BearerSource {
	return func(_ context.Context, prompt sasl.Prompt) (sasl.BearerToken, error) {
		token := first
		if string(prompt.Refused.Bytes()) == first {
			token = next
		}
		return sasl.BearerToken{Username: username, Token: sasl.NewSecret(token), Renewable: true}, nil
	}
}
