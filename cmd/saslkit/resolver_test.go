package main

import (
	"context"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/saslkit/saslkit/core/sasltest"
)

// dnsServer starts a DNS server in this process and returns its address. Its SRV
// records have the ports of the servers of the scripts. The certificate of the servers
// is for mail.demo.test.
func dnsServer(t *testing.T, servers map[string]string) (address string) {
	record := func(name, host string) []*net.SRV {
		_, text, _ := net.SplitHostPort(servers[name])
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		return []*net.SRV{{Port: uint16(port), Target: host}}
	}
	both := append(record("STRIP", "mail.demo.test."), record("IMAPS", "mail.demo.test.")...)
	both[1].Priority = 1
	nowhere := []*net.SRV{{Target: "."}}
	resolver := sasltest.Resolver(t, map[string][]*net.SRV{
		"_imaps._tcp.demo.test":             record("IMAPS", "mail.demo.test."),
		"_submission._tcp.demo.test":        record("SMTP", "mail.demo.test."),
		"_ldap._tcp.demo.test":              record("LDAPBUSY", "ldap.demo.test."),
		"_xmpps-client._tcp.mail.demo.test": record("XMPPS", "elsewhere.test."),
		"_xmpp-client._tcp.mail.demo.test":  record("XMPP", "elsewhere.test."),
		"_imap._tcp.hosted.test":            record("IMAP", "mail.demo.test."),
		"_submissions._tcp.hosted.test":     record("SMTPS", "mail.demo.test."),
		"_imaps._tcp.customer.test":         record("IMAPS", "mail.demo.test."),
		"_imaps._tcp.both.test":             both,
		"_imaps._tcp.wrong.test":            record("IMAPS", "imap.wrong.test."),
		"_imaps._tcp.swapped.demo.test":     record("IMAP", "mail.swapped.demo.test."),
		"_imap._tcp.stripped.test":          record("CLEAR", "mail.stripped.test."),
		"_imaps._tcp.xn--bcher-kva.example": nil,
		"_imap._tcp.xn--bcher-kva.example":  nil,
		"_imaps._tcp.none.test":             nowhere,
		"_imap._tcp.none.test":              nowhere,
	})
	conn, err := resolver.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.RemoteAddr().String()
}

// readme compares the output of the last command with that in README, whose names and
// addresses are those of people: readme 'saslkit auth alice@example.org'.
func readme(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile("../../README.md")
	ts.Check(err)
	_, block, _ := strings.Cut(string(text), "\n$ "+args[0]+"\n")
	want, _, ok := strings.Cut(block, "```")
	output := ts.ReadFile("stdout") + ts.ReadFile("stderr")
	for _, r := range []struct{ pattern, with string }{
		{`mail\.demo\.test`, "imap.provider.example"}, {`customer\.test`, "example.org"}, {`127\.0\.0\.1`, "192.0.2.7"}, {`:[0-9]{4,5}\b`, ":993"},
	} {
		output = regexp.MustCompile(r.pattern).ReplaceAllString(output, r.with)
	}
	if !ok || output != want {
		ts.Fatalf("README has\n%s\nand the command prints\n%s", want, output)
	}
}

// resolveBy lets this process resolve by one DNS server.
func resolveBy(address string) {
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", address)
	}}
}
