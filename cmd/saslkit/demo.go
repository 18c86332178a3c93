package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	sasl "github.com/saslkit/saslkit/core"
)

func demoCommand() *cobra.Command {
	var long bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show every mechanism, every channel binding and failed attacks, without a server of yours",
		Long: `Show every mechanism, every channel binding and failed attacks.

The demo needs no server of yours. Its server runs in this process, on loopback,
with new certificates. Each mechanism logs in over IMAP, SMTP and XMPP, with TLS
1.2 and 1.3. The exit code is 0 only if every login succeeds and every attack
fails as expected.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return demo(cmd.Context(), cmd.OutOrStdout(), long) },
	}
	cmd.Flags().BoolVar(&long, "long", false, "show each login and each attack in a row of its own")
	return cmd
}

// errDemo is the error of a demo with an unexpected outcome.
var errDemo = errors.New("rows have an unexpected outcome")

// demo logs in and attacks, and prints the outcomes.
func demo(ctx context.Context, w io.Writer, long bool) error {
	pki, err := newDemoPKI()
	if err != nil {
		return err
	}
	users, err := newDemoUsers(ctx)
	if err != nil {
		return err
	}
	server, err := startDemo(pki, users.server(), false)
	if err != nil {
		return err
	}
	defer server.close()
	logins := demoLogins(ctx, users, server)
	attacks, err := demoAttacks(ctx, pki, users, server)
	if err != nil {
		return err
	}
	if long {
		writeLogins(w, logins)
		fmt.Fprintln(w)
		writeAttacks(w, attacks)
	} else {
		writeMechanisms(w, logins)
		fmt.Fprintln(w)
		writeSentences(w, attacks)
	}
	failed := 0
	for i := range logins {
		if logins[i].err != nil {
			failed++
		}
	}
	for i := range attacks {
		if attacks[i].wrong() {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d %w", failed, errDemo)
	}
	fmt.Fprintln(w, "\nEvery login succeeded and was verified. Every attack failed.")
	return nil
}

// login is a login of the demo, with its outcome.
type login struct {
	mechanism sasl.Mechanism
	binding   string
	scheme    string
	version   uint16
	token     string // if not empty, the mechanism of a token that an earlier login received

	result sasl.Result
	took   time.Duration
	err    error // also of a login that succeeded with another mechanism or binding
}

func (l *login) name() string {
	if l.token != "" {
		return l.token
	}
	return l.mechanism.Name()
}

// demoLogins tries every mechanism with every binding.
func demoLogins(ctx context.Context, users *demoUsers, server *demoServer) []login {
	rows := demoRows(users)
	for i := range rows {
		l := &rows[i]
		start := time.Now()
		l.result, l.err = l.run(ctx, server)
		l.took = time.Since(start)
		if l.err == nil && (l.result.Binding != l.binding || l.result.Mechanism != l.name()) {
			l.err = fmt.Errorf("%w: %s bound to %q", sasl.ErrSecurity, l.result.Mechanism, l.result.Binding)
		}
	}
	return rows
}

// demoRows returns the logins of each protocol: every mechanism, over both kinds
// of TLS in turn. A mechanism that binds has a row for every type of TLS 1.2 and
// TLS 1.3.
func demoRows(users *demoUsers) (rows []login) {
	bindings := map[uint16][]string{
		tls.VersionTLS13: {"tls-exporter", "tls-server-end-point"},
		tls.VersionTLS12: {"tls-unique", "tls-server-end-point", "tls-exporter"},
	}
	for _, kinds := range [][]string{{"imaps", "imap"}, {"smtps", "smtp"}, {"xmpps", "xmpp"}} {
		token := sasl.FixedBearerToken(demoUser, demoToken)
		if kinds[0] == "xmpps" {
			token = token.ActingAs(demoUser + "@" + demoHost)
		}
		mechanisms := slices.Concat(sasl.PasswordMechanisms(demoCredentials), onlyNamed(demoCredentials), []sasl.Mechanism{sasl.External(""), sasl.Anonymous("demo")}, sasl.BearerMechanisms(token))
		for _, version := range []uint16{tls.VersionTLS13, tls.VersionTLS12} {
			for _, m := range mechanisms {
				types := []string{""}
				switch {
				case !users.canUse(m):
					types = nil
				case isPlus(m):
					types = bindings[version]
				}
				for _, binding := range types {
					rows = append(rows, login{mechanism: m, binding: binding, scheme: kinds[len(rows)%2], version: version})
				}
			}
		}
	}
	scram := sasl.SCRAMPlus(sasl.SHA256, demoCredentials)
	return append(rows,
		login{mechanism: scram, binding: "tls-exporter", scheme: "xmpps", version: tls.VersionTLS13, token: "HT-SHA-256-EXPR"},
		login{mechanism: scram, binding: "tls-server-end-point", scheme: "xmpp", version: tls.VersionTLS13, token: "HT-SHA-256-ENDP"},
		login{mechanism: scram, binding: "tls-unique", scheme: "xmpps", version: tls.VersionTLS12, token: "HT-SHA-256-UNIQ"},
		login{mechanism: scram, binding: "", scheme: "xmpp", version: tls.VersionTLS13, token: "HT-SHA-256-NONE"},
	)
}

func (l *login) run(ctx context.Context, server *demoServer) (sasl.Result, error) {
	t := server.target(l.scheme)
	if l.mechanism.Name() == "ANONYMOUS" {
		t.user = ""
	}
	t.tls.MinVersion, t.tls.MaxVersion = l.version, l.version
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{l.mechanism}}
	if l.binding != "" {
		client.Binding, client.BindingTypes = sasl.RequireBinding, []string{l.binding}
	}
	if l.token != "" {
		t.agentID = newUUID()
		client.Tokens = &sasl.Tokens{Store: new(sasl.MemoryTokens), Username: demoUser, Mechanisms: []string{l.token}}
		if result, err := tryLogin(ctx, t, client); err != nil {
			return result, err
		}
	}
	return tryLogin(ctx, t, client)
}

// tryLogin makes one login through the real adapter.
func tryLogin(ctx context.Context, t *target, client *sasl.Client) (sasl.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := schemes[t.scheme].dial(ctx, t)
	if err != nil {
		return sasl.Result{}, err
	}
	defer conn.end(ctx)
	return conn.authenticate(ctx, client)
}
