package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// authFlags are the flags of saslkit auth.
type authFlags struct {
	mechanisms, insecure      []string
	authzid, user, binding    string
	connect, passwordFile     string
	tokenFile, tokenCommand   string
	tokens                    string
	caFile, certFile, keyFile string
	tlsMin, tlsMax            string
	timeout                   timeLimit
	minIterations             int
	maxIterations             int
	rawPassword, noStartTLS   bool
	trace                     string // "", traceSteps or traceWire
	wire                      *wire  // nil = no trace
	json                      bool
	enforcesBinding           bool
	addressFlags
	kerberosFlags
	layer, count string
}

// authHelp is the long help of saslkit auth.
const authHelp = `Authenticate to a server and report the result.

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

An address, such as alice@example.org, is enough if the SRV records of its
domain name the server: for IMAP, or with --smtp, --ldap or --xmpp for another
protocol. The certificate must be for the domain or, in mail, for a server below
the domain. For another server, saslkit asks once at the terminal, or needs
--accept-host, because the answer of the DNS may be forged. The user is the
address, with --ldap and --xmpp the part before the @; --user names another.

The password comes from the file of --password-file, from the environment
variable ` + passwordVariable + `, or from a prompt. The prompt appears only if the
password is needed.

A token of OAuth 2.0 comes from --token-file, --token-command or the environment
variable ` + tokenVariable + `. With a token, saslkit never uses a password.

Kerberos is used with --ccache, --keytab, --principal, or a name of --mechanism
such as GSSAPI. Without the first two flags, saslkit asks the KDC with the
password of the user. Without a user, the tickets come from KRB5CCNAME.

Without --mechanism, saslkit uses the strongest mechanism that both sides have,
and binds it to the TLS connection if that is possible. With --cert, and on a
Unix socket without a user, saslkit tries EXTERNAL first.

Exit codes:
  0  authenticated
  1  the server refused the credentials or the identity
  2  invalid usage or configuration, or a lost output
  3  the server broke the protocol
  4  a security error, for example an untrusted certificate
  5  refused by the policy of saslkit or of the server
  6  the server was unreachable, closed the connection, was too slow, or failed
     temporarily`

func authCommand() *cobra.Command {
	var f authFlags
	cmd := &cobra.Command{
		Use:   "auth [flags] URL|ADDRESS",
		Short: "Authenticate to a server and report the result",
		Long:  authHelp,
		Example: `  saslkit auth imaps://alice@mail.example.org
  saslkit auth alice@example.org
  saslkit auth --smtp --accept-host smtp.provider.example alice@example.org
  saslkit auth --channel-binding require --trace imap://alice@mail.example.org
  saslkit auth --mechanism EXTERNAL --cert alice.pem imaps://mail.example.org
  saslkit auth --token-command 'get-token mail' imaps://alice@mail.example.org
  saslkit auth ldapi:///
  saslkit auth --ccache /tmp/krb5cc_1000 ldap://dc.example.org
  saslkit auth --tokens ~/.local/state/saslkit/tokens.json xmpp://alice@example.org`,
		Args: oneURL,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), cmd.OutOrStdout(), args[0]) },
	}
	f.register(cmd)
	completeAuth(cmd)
	return cmd
}

func oneURL(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%d arguments in place of one URL or address", len(args))
	}
	return nil
}

// register adds the flags to the command.
func (f *authFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.mechanisms, "mechanism", nil, "use the mechanism `NAME`; several names, in order of preference, have commas between them. For an LDAP server that hides its list, the names count as the list. IMAP-LOGIN is the LOGIN command of IMAP, for a server without a usable mechanism. HT-SHA-256-EXPR, -UNIQ, -ENDP and -NONE choose the kind of token, and do not change the other mechanisms")
	flags.StringVar(&f.user, "user", "", "log in as the user `NAME`, if the URL has no user")
	f.addressFlags.register(cmd)
	f.kerberosFlags.register(cmd)
	flags.StringVar(&f.layer, "layer", "", "negotiate a security layer of this `STRENGTH` in LDAP: none, integrity or confidentiality; the default is confidentiality without TLS, and none with TLS")
	flags.StringVar(&f.count, "count", "", "after the login to an LDAP server, read the subtree below this `BASE` and print the number of its entries")
	flags.StringVar(&f.authzid, "authzid", "", "act as this `IDENTITY` (authzid); for XMPP a bare address")
	flags.StringVar(&f.binding, "channel-binding", "prefer", "`POLICY`: disable, prefer, require, or require one of tls-exporter, tls-server-end-point, tls-unique")
	flags.BoolVar(&f.enforcesBinding, "server-enforces-binding", false, "assert that the server refuses a wrong or missing channel binding; --channel-binding require then accepts an unconfirmed binding")
	flags.StringVar(&f.passwordFile, "password-file", "", "read the password from the first line of this `FILE`; - means standard input")
	flags.BoolVar(&f.rawPassword, "raw-password", false, "use the password as typed, without SASLprep, for a server that stores it so")
	flags.IntVar(&f.minIterations, "min-iterations", 4096, "refuse a SCRAM server that asks for fewer than `N` iterations; a low number makes guesses of the password cheap")
	flags.IntVar(&f.maxIterations, "max-iterations", 2_000_000, "refuse a SCRAM server that asks for more than `N` iterations")
	flags.StringVar(&f.tokenFile, "token-file", "", "log in with the token of OAuth 2.0 in the first line of this `FILE`; - means standard input")
	flags.StringVar(&f.tokenCommand, "token-command", "", "log in with the token of OAuth 2.0 that this `COMMAND` of the shell prints in its first line; after a refusal the command runs once more")
	flags.StringVar(&f.tokens, "tokens", "", "keep the tokens of XMPP servers in this `FILE`, and log in with a token; not with --authzid")
	flags.StringVar(&f.connect, "connect", "", "connect to `HOST[:PORT]`, without PORT to the port of the scheme; the certificate must still be for the host of the URL")
	flags.StringVar(&f.caFile, "ca-file", "", "trust only the authorities in this `FILE`")
	flags.StringVar(&f.certFile, "cert", "", "send the client certificate in this `FILE`")
	flags.StringVar(&f.keyFile, "key", "", "read the key of --cert from this `FILE`; without --key, from the file of --cert")
	flags.StringVar(&f.tlsMin, "tls-min", "", "use at least this `VERSION` of TLS: 1.2 or 1.3")
	flags.StringVar(&f.tlsMax, "tls-max", "", "use at most this `VERSION` of TLS: 1.2 or 1.3")
	flags.StringSliceVar(&f.insecure, "allow-insecure", nil, "use the mechanism `NAME` even if the server is not verified or has no TLS. The flag gives up the certificate: saslkit goes on with any certificate, or without TLS, so that an attacker in between can read and change everything; PLAIN then reveals the password, and SCRAM lets the attacker test guesses of the password")
	flags.BoolVar(&f.noStartTLS, "no-starttls", false, "do not use TLS with imap, smtp, ldap or xmpp; only mechanisms of --allow-insecure, ANONYMOUS, and in LDAP mechanisms with a confidential layer are left")
	f.timeout = timeLimit(30 * time.Second)
	flags.Var(&f.timeout, "timeout", "stop after this `TIME`, in seconds or as 1m30s; the time of a prompt does not count")
	flags.StringVar(&f.trace, "trace", "", "show each step, without secrets, on standard error; --trace=wire also shows the lines of the protocol")
	flags.Lookup("trace").NoOptDefVal = traceSteps
	flags.BoolVar(&f.json, "json", false, "print one JSON object, also after a failure")
}
