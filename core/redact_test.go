package sasl_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// bearer is a mechanism of another module with one message that contains a token. If
// bearer declares its secret, the client looks only for this secret.
type bearer struct {
	token    string
	declares bool
}

func (bearer) Name() string { return "X-BEARER" }

func (m bearer) New(sasl.Terms) sasl.Exchange {
	x := &bearerExchange{token: m.token}
	if m.declares {
		return declaringExchange{x}
	}
	return x
}

type bearerExchange struct {
	token string
	sent  bool
}

func (x *bearerExchange) Identity() sasl.Identity { return sasl.Identity{Username: "alice"} }

func (x *bearerExchange) Step(_ context.Context, in []byte) ([]byte, bool, error) {
	if x.sent {
		return nil, false, fmt.Errorf("%w: the server said %q", sasl.ErrProtocol, in)
	}
	x.sent = true
	return []byte("user=alice\x01auth=Bearer " + x.token + "\x01\x01"), true, nil
}

type declaringExchange struct{ *bearerExchange }

func (x declaringExchange) SentSecrets() []sasl.Secret { return []sasl.Secret{sasl.NewSecret(x.token)} }

// TestRedaction shows that the client withholds a repeated secret, regardless of the
// characters that the server inserts and of the mechanism's module.
func TestRedaction(t *testing.T) {
	const secret = "hunter2>Secret?of~Somebody"
	plainMessage := "\x00tim\x00" + secret
	bearerMessage := "user=alice\x01auth=Bearer " + secret + "\x01\x01"
	std, url := base64.StdEncoding.EncodeToString, base64.URLEncoding.EncodeToString
	// Neither half is long enough to be looked for alone.
	cut := func(with string) func(string) string {
		return func(string) string { return secret[:13] + with + secret[13:] }
	}
	for name, echo := range map[string]func(message string) string{
		"plain":                   func(string) string { return secret },
		"a control character":     cut("\x01"),
		"a blank":                 cut(" "),
		"a line end":              cut("\r\n "),
		"right to left":           cut("\u202e"),
		"no UTF-8":                cut("\xff"),
		"a no-break space":        cut("\u00a0"),
		"a zero-width space":      cut("\u200b"),
		"a variation selector":    cut("\U000e0100"),
		"upper case":              func(string) string { return strings.ToUpper(secret) },
		"most of it":              func(string) string { return secret[:20] + "…" },
		"its end":                 func(string) string { return "…" + secret[8:] },
		"behind much else":        func(string) string { return strings.Repeat("x", 1000) + secret },
		"cut by 512 octets":       func(string) string { return strings.Repeat("x", 490) + secret },
		"base64":                  func(string) string { return std([]byte(secret)) },
		"base64 of the message":   func(m string) string { return std([]byte(m)) },
		"the other alphabet":      func(m string) string { return url([]byte(m)) },
		"base64, folded":          func(m string) string { return std([]byte(m))[:8] + "\r\n " + std([]byte(m))[8:] },
		"base64, only the end":    func(m string) string { return std([]byte(m))[32:] },
		"base64, only the middle": func(m string) string { return std([]byte(m))[len(std([]byte(m)))-16 : len(std([]byte(m)))-6] },
		"base64, no padding":      func(m string) string { return strings.TrimRight(std([]byte(m)), "=") },
		"base64, one octet ahead": func(m string) string { return std([]byte("x" + m)) },
	} {
		for _, row := range []struct {
			mechanism sasl.Mechanism
			message   string
		}{
			{sasl.Plain(sasl.Password("tim", secret)), plainMessage},
			{bearer{secret, true}, bearerMessage},
			{bearer{secret, false}, bearerMessage},
		} {
			text := "no: " + echo(row.message)
			for where, answer := range map[string]*answering{
				"text":      {err: &sasl.Failure{Condition: sasl.NotAuthorized, Text: text}},
				"condition": {err: &sasl.Failure{Condition: sasl.Condition(text)}},
				"own error": {err: &sasl.Failure{Condition: sasl.NotAuthorized, Err: errors.New(text)}},
				"goodbye":   {err: fmt.Errorf("%w: %s", sasl.ErrConnection, text)},
				"challenge": {challenge: []byte(text)},
			} {
				said := row.mechanism.Name() + ": " + runSilently(t, row.mechanism, answer)
				if !strings.Contains(said, "withheld") {
					t.Errorf("%s, %s: nothing is withheld: %s", name, where, said)
				}
				checkSilent(t, name+", "+where, said, secret, row.message, echo(row.message))
			}
		}
	}
}

// runSilently returns all texts of a run that a person sees.
func runSilently(t *testing.T, m sasl.Mechanism, answer *answering) string {
	t.Helper()
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{m}, Allow: allowAll}
	var said strings.Builder
	client.Trace = func(e sasl.Event) { fmt.Fprintln(&said, e) }
	_, err := client.Authenticate(t.Context(), answer, sasl.ServerInfo{Secure: true, Mechanisms: []string{m.Name()}})
	if err == nil {
		t.Fatal("no error")
	}
	fmt.Fprintf(&said, "%v %+v %#v", err, err, err)
	var failure *sasl.Failure
	if errors.As(err, &failure) {
		fmt.Fprintf(&said, "%+v %v", *failure, failure.Unwrap())
	}
	return said.String()
}

// TestNothingElseIsWithheld shows that the client does not withhold a text without a
// secret, and that a mechanism's declaration defines its secrets.
func TestNothingElseIsWithheld(t *testing.T) {
	for _, row := range []struct {
		mechanism sasl.Mechanism
		text      string
		shown     bool
	}{
		{sasl.Plain(sasl.Password("tim", "hunter2")), "no such user: tim", true},
		{sasl.Plain(sasl.Password("tim", "abcd")), "no: abcd", false},  // four octets
		{sasl.Plain(sasl.Password("tim", "abc")), "no: abc", true},     // three octets occur in many words
		{sasl.Plain(sasl.Password("tim", "hunter2")), "hunting", true}, // and so do a few octets of more
		{bearer{"abcdefgh", true}, "no such user: alice", true},        // the name is not a secret
		{bearer{"abcdefgh", false}, "no such user: alice", false},      // bearer has not declared its secret
		{bearer{"abcdefgh", false}, "the account is disabled", true},   // nothing of the message
		{bearer{"abcdefgh", false}, "the bearer is unknown", false},    // a word of it
		{sasl.External("alice"), "no such user: alice", true},          // EXTERNAL has no secret
		{sasl.Anonymous("tim@example.org"), "no: tim@example.org", true},
	} {
		said := runSilently(t, row.mechanism, &answering{err: &sasl.Failure{Condition: sasl.NotAuthorized, Text: row.text}})
		if strings.Contains(said, row.text) != row.shown {
			t.Errorf("%s, %q: shown %t, want %t: %s", row.mechanism.Name(), row.text, !row.shown, row.shown, said)
		}
	}
}
