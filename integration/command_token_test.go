package integration

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/saslkit/saslkit/integration/internal/harness"
)

// TestCommandWithTokens: the command logs in with tokens from a file and from a program,
// which runs once more after a refusal. It shows no token.
func TestCommandWithTokens(t *testing.T) {
	t.Parallel()
	imap, smtp, xmpp := harness.DovecotOAuth(t), harness.PostfixOAuth(t), harness.Prosody(t)
	const domain = harness.XMPPSHA256
	expired := map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}
	for name, server := range map[string]struct {
		srv               harness.Named
		connect, url      string
		mechanisms        []string
		fresh, old, other string
	}{
		"Dovecot": {imap.Named, imap.IMAPS, "imaps://alice@dovecot.test", []string{"OAUTHBEARER", "XOAUTH2"},
			imap.Issuer.Token(nil), imap.Issuer.Token(expired), harness.NewIssuer().Token(nil)},
		"Postfix": {smtp.Named, smtp.DovecotSASL.STARTTLS, "smtp://alice@postfix.test", []string{"OAUTHBEARER", "XOAUTH2"},
			smtp.Issuer.Token(nil), smtp.Issuer.Token(expired), harness.NewIssuer().Token(nil)},
		"Prosody": {xmpp.Named, xmpp.Direct, "xmpps://alice@" + domain, []string{"OAUTHBEARER"},
			xmpp.BearerToken(t, "alice@"+domain, domain, time.Hour), xmpp.BearerToken(t, "alice@"+domain, domain, -time.Hour), "ya29.of-another-kind"},
	} {
		for _, mechanism := range server.mechanisms {
			dir := t.TempDir()
			file := filepath.Join(dir, "token")
			command := []string{"--token-command", fmt.Sprintf("cat %[1]s/token; cp %[1]s/fresh %[1]s/token", dir)}
			for _, row := range []struct {
				token, next string // of the file, and what the program puts in its place
				source      []string
				code        int
				text        string
			}{
				{server.fresh, "", []string{"--token-file", file}, 0, "authenticated as alice"},
				{server.old, "", []string{"--token-file", file}, 1, "the server refused the token: status "},
				{server.other, "", []string{"--token-file", file}, 1, "no second attempt"},
				{server.old, server.fresh, command, 0, "authenticated as alice"},
				{server.old, server.other, command, 1, "the server refused the token: status "},
			} {
				for path, token := range map[string]string{file: row.token, filepath.Join(dir, "fresh"): row.next} {
					if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				var output bytes.Buffer
				args := append([]string{"auth", "--trace", "--ca-file", "ca.pem", "--connect", server.connect, "--mechanism", mechanism}, row.source...)
				code := saslkit(t, server.srv, &output, &output, "", append(args, server.url)...)
				if code != row.code || !strings.Contains(output.String(), row.text) {
					t.Errorf("%s, %s, %s: exit code %d, want %d and %q in %s", name, mechanism, row.source[0], code, row.code, row.text, output.String())
				}
				for _, token := range []string{server.fresh, server.old, server.other} {
					if repeatsToken(output.String(), token) {
						t.Errorf("%s, %s: a token is in %s", name, mechanism, output.String())
					}
				}
			}
		}
	}
}
