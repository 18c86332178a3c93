package sasl_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// hints returns the hints of an error, separated by spaces.
func hints(err error) string {
	var login *sasl.LoginError
	if !errors.As(err, &login) {
		return ""
	}
	var list []string
	for _, h := range login.Hints {
		list = append(list, string(h))
	}
	return strings.Join(list, " ")
}

// TestHints shows that a hint appears only if the hint can be true. Each condition
// occurs in a bound run, in a run with the flag y, in a run with the flag n, and
// after the server's proof.
func TestHints(t *testing.T) {
	secure := sasl.ServerInfo{Secure: true, Bindings: []sasl.ChannelBinding{exporter}}
	scram := map[string]string{"p": "SCRAM-SHA-256-PLUS", "y": "SCRAM-SHA-256", "n": "SCRAM-SHA-256"}
	for condition, want := range map[sasl.Condition]map[string]string{
		sasl.NotAuthorized:        {"p": "authentication: password binding", "y": "authentication: password proxy", "n": "authentication: password"},
		"strange":                 {"p": "authentication: password binding", "y": "authentication: password proxy", "n": "authentication: password"},
		"":                        {"p": "authentication: password binding", "y": "authentication: password proxy", "n": "authentication: password"},
		sasl.MalformedRequest:     {"p": "security: binding", "y": "security: proxy", "n": "protocol: "},
		sasl.IncorrectEncoding:    {"p": "protocol: ", "y": "protocol: ", "n": "protocol: "},
		sasl.Aborted:              {"p": "protocol: ", "y": "protocol: ", "n": "protocol: "},
		sasl.AccountDisabled:      {"p": "authorization: ", "y": "authorization: ", "n": "authorization: "},
		sasl.InvalidAuthzid:       {"p": "authorization: ", "y": "authorization: ", "n": "authorization: "},
		sasl.CredentialsExpired:   {"p": "authentication: ", "y": "authentication: ", "n": "authentication: "},
		sasl.TemporaryAuthFailure: {"p": "temporary: ", "y": "temporary: ", "n": "temporary: "},
		sasl.EncryptionRequired:   {"p": "policy: ", "y": "policy: ", "n": "policy: "},
		sasl.InvalidMechanism:     {"p": "policy: ", "y": "policy: ", "n": "policy: "},
		sasl.MechanismTooWeak:     {"p": "policy: ", "y": "policy: ", "n": "policy: "},
	} {
		for flag, want := range want {
			client := rfc7677Client("pencil")
			srv := secure
			srv.Mechanisms = []string{scram[flag]}
			first := map[string]string{"p": "p=tls-exporter,,", "y": "y,,", "n": "n,,"}[flag] + rfc7677ClientFirst[3:]
			if flag != "n" {
				client.Mechanisms = append(client.Mechanisms, sasl.SCRAMPlus(sasl.SHA256, sasl.Password("user", "pencil")))
			}
			_, err := client.Authenticate(t.Context(), sasltest.NewPeer(c(first), refuse(condition)), srv)
			if got := sasl.ClassOf(err).String() + ": " + hints(err); got != want {
				t.Errorf("%s, %s: %s, want %s", condition, flag, got, want)
			}
		}
		// The server's signature excludes the password and the binding as causes.
		peer := sasltest.NewPeer(append(scramLines[:3:3], s(rfc7677ServerFinal), c(""), refuse(condition))...)
		_, err := rfc7677Client("pencil").Authenticate(t.Context(), peer, scramServer)
		if err == nil || hints(err) != "" {
			t.Errorf("%s after the signature: hints %q", condition, hints(err))
		}
	}
}

// TestHintsOfMechanisms shows that the possible causes of a refusal depend on the
// mechanism.
func TestHintsOfMechanisms(t *testing.T) {
	for name, row := range map[string]struct {
		mechanism sasl.Mechanism
		condition sasl.Condition
		secure    bool
		want      string
	}{
		"a password":                      {sasl.Plain(pencil), sasl.NotAuthorized, true, "authentication: password"},
		"a certificate has no password":   {sasl.External(""), sasl.NotAuthorized, true, "authentication: "},
		"nobody has no password":          {sasl.Anonymous("x"), sasl.NotAuthorized, true, "authentication: "},
		"another module's, undeclared":    {trivial("X-OTHER"), sasl.NotAuthorized, true, "authentication: "},
		"an application password":         {sasl.Plain(pencil), sasl.MechanismTooWeak, true, "authentication: other-credentials"},
		"too weak without TLS":            {sasl.Plain(pencil), sasl.MechanismTooWeak, false, "policy: "},
		"too weak, and no secret":         {sasl.External(""), sasl.MechanismTooWeak, true, "policy: "},
		"too weak, undeclared is careful": {trivial("X-OTHER"), sasl.MechanismTooWeak, true, "authentication: other-credentials"},
	} {
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}, Allow: allowAll}
		srv := sasl.ServerInfo{Secure: row.secure, Mechanisms: []string{row.mechanism.Name()}}
		_, err := client.Authenticate(t.Context(), &answering{err: &sasl.Failure{Condition: row.condition}}, srv)
		if got := sasl.ClassOf(err).String() + ": " + hints(err); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

// TestHintOfPreparation shows the hint after SASLprep has changed or refused the
// password.
func TestHintOfPreparation(t *testing.T) {
	for password, want := range map[string]string{
		"pencil":           "authentication: password",
		"pen\u00A0cil":     "authentication: password preparation",
		"secret\U0001F600": "config: preparation",
	} {
		client := rfc7677Client(password)
		conn := &recording{replies: []sasl.Reply{{Data: []byte(rfc7677ServerFirst)}}}
		_, err := client.Authenticate(t.Context(), conn, scramServer)
		if got := sasl.ClassOf(err).String() + ": " + hints(err); got != want {
			t.Errorf("%q: %s, want %s", password, got, want)
		}
	}
}

// recording answers with replies, and then refuses.
type recording struct {
	replies []sasl.Reply
	sent    [][]byte
}

func (r *recording) Initiate(ctx context.Context, _ string, initial []byte) (sasl.Reply, error) {
	return r.Respond(ctx, initial)
}

func (r *recording) Respond(_ context.Context, response []byte) (sasl.Reply, error) {
	r.sent = append(r.sent, response)
	if len(r.replies) == 0 {
		return sasl.Reply{}, &sasl.Failure{Condition: sasl.NotAuthorized}
	}
	reply := r.replies[0]
	r.replies = r.replies[1:]
	return reply, nil
}

func (*recording) Abort(context.Context) error { return nil }
func (*recording) Close() error                { return nil }

// TestHintTexts shows that every hint has a text.
func TestHintTexts(t *testing.T) {
	seen := []string{""}
	for _, h := range []sasl.Hint{sasl.HintPassword, sasl.HintPreparation, sasl.HintOtherCredentials, sasl.HintBinding, sasl.HintProxy, sasl.HintList} {
		if slices.Contains(seen, h.Text()) {
			t.Errorf("%s: %q", h, h.Text())
		}
		seen = append(seen, h.Text())
	}
}
