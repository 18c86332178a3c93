package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/net/idna"
	"golang.org/x/term"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// addressFlags are the flags for an address in place of a URL. The SRV records of its
// domain name the server.
type addressFlags struct {
	smtp, ldap, xmpp bool
	acceptHosts      []string
}

func (f *addressFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.smtp, "smtp", false, "find the submission server of the address, not the IMAP server")
	flags.BoolVar(&f.ldap, "ldap", false, "find the LDAP server of the domain of the address")
	flags.BoolVar(&f.xmpp, "xmpp", false, "find the XMPP server of the address")
	flags.StringArrayVar(&f.acceptHosts, "accept-host", nil, "accept the server `HOST` that the DNS names, although its certificate is not for the domain of the address; may be repeated")
}

// protocol returns the scheme of the protocol and the flag that chose it, "" = none.
func (f *addressFlags) protocol() (scheme, flag string, err error) {
	for _, choice := range []struct {
		chosen bool
		scheme string
	}{{f.smtp, "smtp"}, {f.ldap, "ldap"}, {f.xmpp, "xmpp"}} {
		switch {
		case choice.chosen && flag != "":
			return "", "", usageError("%s and --%s exclude each other: use one of them", flag, choice.scheme)
		case choice.chosen:
			scheme, flag = choice.scheme, "--"+choice.scheme
		}
	}
	if flag == "" {
		return "imap", "", nil
	}
	return scheme, flag, nil
}

// cutAddress reads local@domain. A URL is not an address.
func cutAddress(text string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(text, '@')
	if at <= 0 || at == len(text)-1 || strings.Contains(text, "://") {
		return "", "", false
	}
	return text[:at], text[at+1:], true
}

// parse reads the argument: a URL or an address.
func (f *authFlags) parse(text string) (*target, error) {
	scheme, flag, err := f.protocol()
	if err != nil {
		return nil, err
	}
	local, domain, ok := cutAddress(text)
	written, _, hasScheme := strings.Cut(text, ":")
	switch {
	case hasScheme && !strings.Contains(text, "://") && schemes[written].dial != nil:
		return nil, usageError("the URL has no // after its scheme: write %s://[user@]host[:port]", written)
	case !ok && flag != "":
		return nil, usageError("%s is for an address, such as alice@example.org: write an address, or omit %s", flag, flag)
	case !ok && len(f.acceptHosts) > 0:
		return nil, usageError("--accept-host is for an address, such as alice@example.org: omit it, because the host of a URL is the name that is verified")
	case !ok && !strings.Contains(text, ":"):
		return nil, usageError("the argument is neither a URL nor an address: write scheme://[user@]host[:port], or an address such as alice@example.org")
	case !ok:
		return parseTarget(text)
	case strings.Contains(local, ":"):
		return nil, usageError("the address has a colon, and a password does not belong there: use %s, --password-file or the prompt", passwordVariable)
	case scheme == "xmpp" && len(f.acceptHosts) > 0:
		return nil, usageError("the certificate of an XMPP server is always for the domain: omit --accept-host")
	case f.connect != "":
		return nil, usageError("--connect is for a URL, and the SRV records have the server of an address: omit --connect, or write a URL")
	case f.noStartTLS:
		return nil, usageError("--no-starttls is for a URL, because the server of an address must prove its identity: omit --no-starttls, or write a URL")
	case len(f.insecure) > 0:
		return nil, usageError("--allow-insecure is for a URL, because the DNS alone does not identify the server of an address: write a URL")
	}
	return f.addressTarget(scheme, local, domain)
}

// addressTarget returns the target of an address. In mail the whole address is the
// user (RFC 6186 s4), in XMPP the part before the @, and so in LDAP, for which no RFC
// says it.
func (f *authFlags) addressTarget(scheme, local, domain string) (*target, error) {
	domain = strings.TrimSuffix(domain, ".")
	host, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return nil, usageError("%q is not a domain: write an address, such as alice@example.org", sasl.Printable(domain))
	}
	t := &target{scheme: scheme, user: local + "@" + domain, host: host, lookedUp: true, tls: &tls.Config{}}
	if scheme == "xmpp" || scheme == "ldap" {
		t.user = local
	}
	if f.user != "" {
		t.user = f.user
	}
	return t, nil
}

// find lets the target report the servers that the DNS names, and decide about them.
func (f *authFlags) find(t *target, out io.Writer, clock *clock, report *report) {
	t.found = func(server transport.Target) {
		now := found{Address: sasl.Printable(server.Address())}
		text := "found no SRV record; the server may be " + now.Address
		if server.Service != "" {
			now.Record = "_" + server.Service + "._tcp." + t.host
			text = fmt.Sprintf("found %s (SRV record %s)", now.Address, now.Record)
		}
		report.Found = append(report.Found, now)
		if !f.json {
			fmt.Fprintln(out, text)
		}
	}
	asked, consent := "", false
	t.acceptHost = func(ctx context.Context, domain, host string) bool {
		switch {
		case slices.ContainsFunc(f.acceptHosts, func(accepted string) bool { return strings.EqualFold(accepted, host) }):
			return true
		case asked != "":
			return consent && host == asked
		case !term.IsTerminal(int(os.Stdin.Fd())):
			return false
		}
		defer clock.pause()()
		asked = host
		consent = confirm(ctx, fmt.Sprintf("The certificate is for %s, and not for %s. Only the DNS says that this host is the server of %[2]s, and the answer may be forged. Log in there? [y/N] ", sasl.Printable(host), sasl.Printable(domain)))
		return consent
	}
}

// confirm asks at the terminal, which is the standard input. Only y and yes are a yes.
func confirm(ctx context.Context, question string) bool {
	fmt.Fprint(os.Stderr, question)
	answered := make(chan string, 1)
	go func() {
		line := make([]byte, 64) // a terminal gives one line at a time
		n, _ := os.Stdin.Read(line)
		answered <- strings.ToLower(strings.TrimSpace(string(line[:n])))
	}()
	select {
	case answer := <-answered:
		return answer == "y" || answer == "yes"
	case <-ctx.Done():
		fmt.Fprintln(os.Stderr)
		return false
	}
}

// urlScheme returns the scheme of a URL, and "" for an address, whose records have the
// port and the kind of TLS.
func (t *target) urlScheme() string {
	if t.lookedUp {
		return ""
	}
	return t.scheme
}

// addressError is an error of a login at the server of an address.
type addressError struct {
	target *target
	error
}

func (e *addressError) Unwrap() error { return e.error }

// addressRemedy returns what the user can do about the server that the DNS names, or
// "".
func addressRemedy(err error) string {
	var failed *addressError
	if !errors.As(err, &failed) {
		return ""
	}
	var unknown *transport.HostError
	var name x509.HostnameError
	switch t := failed.target; {
	case errors.As(err, &unknown):
		return fmt.Sprintf("if %s is the right server of %s, use --accept-host %[1]s", unknown.Host, unknown.Domain)
	case errors.Is(err, transport.ErrNoServer):
		return fmt.Sprintf("check the domain; if you know the server, write a URL, such as %s://%s@HOST", otherScheme[t.scheme], strings.ReplaceAll(t.user, "@", "%40"))
	case errors.As(err, new(*net.DNSError)):
		return "check the domain; the DNS server may be out of order"
	case errors.As(err, &name):
		return fmt.Sprintf("the certificate is for %s, and not for %s; the owner of the domain has to correct the server or its SRV record, unless somebody forged the DNS answer", certificateNames(name.Certificate), name.Host)
	}
	return ""
}
