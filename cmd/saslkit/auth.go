package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	sasl "github.com/saslkit/saslkit/core"
)

// authFlags are the flags of saslkit auth.
type authFlags struct {
	mechanisms, insecure      []string
	authzid, user, binding    string
	connect, passwordFile     string
	tokens                    string
	caFile, certFile, keyFile string
	tlsMin, tlsMax            string
	timeout                   time.Duration
	trace, json               bool
	enforcesBinding           bool
}

func authCommand() *cobra.Command {
	var f authFlags
	cmd := &cobra.Command{
		Use:   "auth [flags] URL",
		Short: "Authenticate to a server and report the result",
		Long: `Authenticate to a server and report the result.

The URL is scheme://[user@]host[:port]:
  imaps://                    IMAP over TLS, port 993
  imap://                     IMAP with STARTTLS, port 143
  smtps://, submissions://    SMTP submission over TLS, port 465
  smtp://                     SMTP submission with STARTTLS, port 587
  ldaps://                    LDAP over TLS, port 636
  ldap://                     LDAP with StartTLS, port 389
  ldapi://                    LDAP through a Unix socket; the host is the path of
                              the socket, percent-encoded
  xmpps://                    XMPP over TLS; the host is the domain of the address
  xmpp://                     XMPP with STARTTLS; the same

If the URL of an XMPP server has no port, the SRV records of the domain name
the server.

The password comes from the file of --password-file, from the environment
variable ` + passwordVariable + `, or from a prompt. The prompt appears only if the
password is needed.

Without --mechanism, saslkit uses the strongest mechanism that both sides have,
and binds it to the TLS connection if that is possible. With --cert, and on a
Unix socket without a user, saslkit tries EXTERNAL first.

Exit codes:
  0  authenticated
  1  the server refused the credentials or the identity
  2  invalid usage or configuration
  3  the server broke the protocol
  4  a security error, for example an untrusted certificate
  5  refused by the policy of saslkit or of the server
  6  the server was unreachable, closed the connection, was too slow, or failed
     temporarily`,
		Example: `  saslkit auth imaps://alice@mail.example.org
  saslkit auth --channel-binding require --trace imap://alice@mail.example.org
  saslkit auth --mechanism EXTERNAL --cert alice.pem imaps://mail.example.org
  saslkit auth ldapi:///
  saslkit auth --tokens ~/.local/state/saslkit/tokens.json xmpp://alice@example.org`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), args[0]) },
	}
	f.register(cmd)
	return cmd
}

// register adds the flags to the command.
func (f *authFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.mechanisms, "mechanism", nil, "use the mechanism `NAME`; may be repeated, in order of preference. HT-SHA-256-EXPR, -UNIQ, -ENDP and -NONE choose the kind of token, and do not change the other mechanisms")
	flags.StringVar(&f.user, "user", "", "log in as the user `NAME`, if the URL has no user")
	flags.StringVar(&f.authzid, "authzid", "", "act as this `IDENTITY` (authzid); for XMPP a bare address")
	flags.StringVar(&f.binding, "channel-binding", "prefer", "`POLICY`: disable, prefer, require, or require one of tls-exporter, tls-server-end-point, tls-unique")
	flags.BoolVar(&f.enforcesBinding, "server-enforces-binding", false, "assert that the server refuses a wrong or missing channel binding; --channel-binding require then accepts an unconfirmed binding")
	flags.StringVar(&f.passwordFile, "password-file", "", "read the password from the first line of this `FILE`; - means standard input")
	flags.StringVar(&f.tokens, "tokens", "", "keep the tokens of XMPP servers in this `FILE`, and log in with a token; not with --authzid")
	flags.StringVar(&f.connect, "connect", "", "connect to `HOST:PORT`; the certificate must still be for the host of the URL")
	flags.StringVar(&f.caFile, "ca-file", "", "trust only the authorities in this `FILE`")
	flags.StringVar(&f.certFile, "cert", "", "send the client certificate in this `FILE`")
	flags.StringVar(&f.keyFile, "key", "", "read the key of --cert from this `FILE`; without --key, from the file of --cert")
	flags.StringVar(&f.tlsMin, "tls-min", "", "use at least this `VERSION` of TLS: 1.2 or 1.3")
	flags.StringVar(&f.tlsMax, "tls-max", "", "use at most this `VERSION` of TLS: 1.2 or 1.3")
	flags.StringArrayVar(&f.insecure, "allow-insecure", nil, "use the mechanism `NAME` even if the server is not verified or has no TLS; may be repeated")
	flags.DurationVar(&f.timeout, "timeout", 30*time.Second, "stop after this `TIME`; the time of a prompt does not count")
	flags.BoolVar(&f.trace, "trace", false, "show each step, without secrets, on standard error")
	flags.BoolVar(&f.json, "json", false, "print one JSON object, also after a failure")
}

// run authenticates, prints the report, and ends the connection.
func (f *authFlags) run(ctx context.Context, url string) error {
	report := newReport(url)
	ctx, clock, stop := startClock(ctx, f.timeout)
	defer stop()
	start := time.Now()
	conn, err := f.authenticate(ctx, clock, url, report)
	report.finish(err, time.Since(start)-clock.paused)
	switch {
	case f.json:
		report.writeJSON(os.Stdout)
	case err == nil:
		report.writeText(os.Stdout)
	}
	if conn != nil {
		conn.end(ctx)
	}
	return err
}

// authenticate may return a connection together with an error. The connection is
// nil if there is none.
func (f *authFlags) authenticate(ctx context.Context, clock *clock, url string, report *report) (*connection, error) {
	t, err := f.target(url)
	if err != nil {
		return nil, err
	}
	client, err := f.client(ctx, t, clock, report)
	if err != nil {
		return nil, err
	}
	t.told = func(info sasl.ServerInfo) {
		report.server(info)
		if !f.json {
			report.writeServer(os.Stdout)
		}
	}
	conn, err := schemes[t.scheme].dial(ctx, t)
	if err != nil {
		return nil, timedOut(ctx, err)
	}
	if conn.info != nil {
		t.told(*conn.info)
	}
	result, err := conn.authenticate(ctx, client)
	report.result(result)
	for _, alert := range conn.alerts() {
		fmt.Fprintf(os.Stderr, "saslkit: the server says: %s\n", sasl.Printable(alert))
	}
	if err != nil {
		return conn, timedOut(ctx, err)
	}
	report.Authenticated = true
	return conn, report.ask(ctx, conn)
}

// timedOut turns the error of a context that the clock has ended into a timeout.
func timedOut(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && context.Cause(ctx) == context.DeadlineExceeded {
		return fmt.Errorf("%w: the login took too long: %w", sasl.ErrConnection, context.DeadlineExceeded)
	}
	return err
}

func (f *authFlags) target(url string) (*target, error) {
	t, err := parseTarget(url)
	if err != nil {
		return nil, err
	}
	if err := t.trust(f.caFile, f.certFile, f.keyFile); err != nil {
		return nil, err
	}
	if err := t.limitTLS(f.tlsMin, f.tlsMax); err != nil {
		return nil, err
	}
	if f.user != "" {
		if t.user != "" && t.user != f.user {
			return nil, usageError("--user is for a URL without a user, and the URL has the user %q: omit --user", t.user)
		}
		t.user = f.user
	}
	if f.connect != "" && t.scheme == "ldapi" {
		return nil, usageError("--connect is for TCP, and ldapi uses a Unix socket: omit --connect")
	}
	if f.connect != "" {
		t.address = f.connect
		if err := checkAddress("--connect", f.connect); err != nil {
			return nil, err
		}
	}
	if f.tokens != "" && !t.isXMPP() {
		return nil, usageError("--tokens is for XMPP only: omit --tokens")
	}
	if f.timeout <= 0 {
		return nil, usageError("--timeout must be more than 0")
	}
	t.insecure, t.enforcesBinding = len(f.insecure) > 0, f.enforcesBinding
	return t, nil
}

// client returns the Client that the flags describe.
func (f *authFlags) client(ctx context.Context, t *target, clock *clock, report *report) (*sasl.Client, error) {
	credentials := func(context.Context, sasl.Prompt) (sasl.Credential, error) {
		if t.user == "" {
			return sasl.Credential{}, usageError("there is no user: put the user into the URL (%s://user@%s) or use --user", t.scheme, t.host)
		}
		return sasl.Credential{Username: t.user, Authzid: f.authzid, Password: func(ctx context.Context) (sasl.Secret, error) {
			defer clock.pause()()
			return password(ctx, f.passwordFile, t.user+" at "+t.host)
		}}, nil
	}
	tokens, err := f.useTokens(ctx, t)
	if err != nil {
		return nil, err
	}
	mechanisms, err := f.chooseMechanisms(t, credentials)
	if err != nil {
		return nil, err
	}
	client := &sasl.Client{
		Mechanisms: mechanisms,
		Tokens:     tokens,
		Allow:      sasl.AllowInsecure(f.insecure...),
		Trace: func(e sasl.Event) {
			report.Mechanism = e.Mechanism
			if f.trace {
				fmt.Fprintln(os.Stderr, e)
			}
		},
	}
	switch f.binding {
	case "prefer":
	case "require":
		client.Binding = sasl.RequireBinding
	case "disable":
		client.Binding = sasl.DisableBinding
	case "tls-exporter", "tls-server-end-point", "tls-unique":
		client.Binding, client.BindingTypes = sasl.RequireBinding, []string{f.binding}
	default:
		return nil, usageError("an invalid --channel-binding: %q: use disable, prefer, require, tls-exporter, tls-server-end-point or tls-unique", f.binding)
	}
	return client, nil
}
