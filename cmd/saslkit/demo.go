package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	sasl "github.com/saslkit/saslkit/core"
)

func demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show every mechanism, every channel binding and failed attacks, without a server of yours",
		Long: `Show every mechanism, every channel binding and failed attacks.

The demo needs no server of yours. Its server runs in this process, on loopback,
with new certificates. The exit code is 0 only if every login succeeds and every
attack fails as expected.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return demo(cmd.Context(), cmd.OutOrStdout()) },
	}
}

// errDemo is the error of a demo with an unexpected outcome.
var errDemo = errors.New("rows have an unexpected outcome")

// demo logs in and attacks, and prints a table of each.
func demo(ctx context.Context, w io.Writer) error {
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
	failed := demoLogins(ctx, w, users, server)
	fmt.Fprintln(w)
	wrong, err := demoAttacks(ctx, w, pki, users, server)
	if err != nil {
		return err
	}
	if failed += wrong; failed > 0 {
		return fmt.Errorf("%d %w", failed, errDemo)
	}
	fmt.Fprintln(w, "\nEvery login succeeded and was verified. Every attack failed.")
	return nil
}

// login is a row of the table of logins.
type login struct {
	mechanism sasl.Mechanism
	binding   string
	scheme    string
	version   uint16
	token     string // if not empty, the mechanism of a token that an earlier login received
}

func (l *login) name() string {
	if l.token != "" {
		return l.token
	}
	return l.mechanism.Name()
}

// demoLogins tries every mechanism with every binding and returns how many
// failed.
func demoLogins(ctx context.Context, w io.Writer, users *demoUsers, server *demoServer) (failed int) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer table.Flush()
	fmt.Fprintln(table, "PROTOCOL\tMECHANISM\tBINDING\tTLS\tROUND TRIPS\tTIME\tOUTCOME")
	for _, l := range demoRows(users) {
		start := time.Now()
		result, err := l.run(ctx, server)
		outcome := "authenticated"
		if err == nil && (result.Binding != l.binding || result.Mechanism != l.name()) {
			err = fmt.Errorf("%w: %s bound to %q", sasl.ErrSecurity, result.Mechanism, result.Binding)
		}
		if err != nil {
			outcome = "FAILED: " + summary(err)
			failed++
		}
		binding := l.binding
		if binding == "" {
			binding = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%.1f ms\t%s\n", l.scheme, l.name(), binding,
			tls.VersionName(l.version)[len("TLS "):], result.RoundTrips, float64(time.Since(start).Microseconds())/1000, outcome)
	}
	return failed
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
					rows = append(rows, login{m, binding, kinds[len(rows)%2], version, ""})
				}
			}
		}
	}
	scram := sasl.SCRAMPlus(sasl.SHA256, demoCredentials)
	return append(rows,
		login{scram, "tls-exporter", "xmpps", tls.VersionTLS13, "HT-SHA-256-EXPR"},
		login{scram, "tls-server-end-point", "xmpp", tls.VersionTLS13, "HT-SHA-256-ENDP"},
		login{scram, "tls-unique", "xmpps", tls.VersionTLS12, "HT-SHA-256-UNIQ"},
		login{scram, "", "xmpp", tls.VersionTLS13, "HT-SHA-256-NONE"},
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
