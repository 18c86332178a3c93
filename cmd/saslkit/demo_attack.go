package main

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"regexp"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// attack is an attack of the demo, with its outcome.
type attack struct {
	scheme   string
	name     string
	sentence string // for people, without the class
	target   *target
	client   *sasl.Client
	want     sasl.Class // with which the attack must fail

	err error
}

func (a *attack) wrong() bool { return sasl.ClassOf(a.err) != a.want }

// demoAttacks tries every attack.
func demoAttacks(ctx context.Context, pki *demoPKI, users *demoUsers, server *demoServer) ([]attack, error) {
	attacks, end, err := prepareAttacks(pki, users, server)
	defer end()
	if err != nil {
		return nil, err
	}
	for i := range attacks {
		_, attacks[i].err = tryLogin(ctx, attacks[i].target, attacks[i].client)
	}
	return attacks, nil
}

// prepareAttacks starts the servers and the men in the middle that the attacks
// need. The returned func end stops them.
func prepareAttacks(pki *demoPKI, users *demoUsers, server *demoServer) (attacks []attack, end func(), err error) {
	var closers []func()
	end = func() {
		for _, c := range closers {
			c()
		}
	}
	start := func(auth *sasl.Server, hasty bool) (*demoServer, error) {
		s, err := startDemo(pki, auth, hasty)
		if err == nil {
			closers = append(closers, s.close)
		}
		return s, err
	}
	impostor, err := start(users.impostor(), false)
	if err != nil {
		return nil, end, err
	}
	hasty, err := start(users.server(), true)
	if err != nil {
		return nil, end, err
	}
	// behind returns the server with a man in the middle in front of it.
	behind := func(scheme string, rewrite func(string) string) *target {
		t := server.target(scheme)
		middle, startErr := startMiddle(t, pki.other, rewrite)
		if startErr != nil {
			err = startErr
			return nil
		}
		closers = append(closers, func() { middle.Close() })
		behind := *t
		behind.address = middle.Addr().String()
		return &behind
	}
	for _, scheme := range []string{"imaps", "smtps", "xmpps"} {
		targets := attackTargets{server.target(scheme), impostor.target(scheme), hasty.target(scheme)}
		attacks = append(attacks, attackRows(scheme, targets, behind)...)
	}
	return attacks, end, err
}

// attackTargets are the servers of one scheme: the honest one, the one that does
// not have the user's ServerKey, and the one that announces success too early.
type attackTargets struct{ honest, impostor, hasty *target }

// attackRows returns the attacks on one scheme. behind returns the honest server
// with a man in the middle in front of it.
func attackRows(scheme string, to attackTargets, behind func(scheme string, rewrite func(string) string) *target) []attack {
	unchanged := func(line string) string { return line }
	all := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(demoCredentials)}
	required := &sasl.Client{Mechanisms: all.Mechanisms, Binding: sasl.RequireBinding}
	wrongPassword := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password(demoUser, "Secret"))}
	rows := []attack{
		{name: "wrong password", target: to.honest, client: wrongPassword, want: sasl.ErrAuthentication,
			sentence: "The password is wrong. The server refuses it."},
		{name: "wrong server signature", target: to.impostor, client: all, want: sasl.ErrSecurity,
			sentence: "The server has a stolen record of the user. It can check the password, and cannot prove that it knows it."},
		{name: "success announced too early", target: to.hasty, client: all, want: sasl.ErrSecurity,
			sentence: "The server announces success before it has proved anything."},
		{name: "another certificate in the middle", target: behind(scheme, unchanged), client: all, want: sasl.ErrSecurity,
			sentence: "A man in the middle has a certificate that the client trusts, and passes on the messages. The channel binding differs."},
		{name: "-PLUS stripped from the list", target: behind(scheme, stripPlus), client: all, want: sasl.ErrSecurity,
			sentence: "A man in the middle removes the mechanisms that bind from the list. The server sees that the client could bind."},
		{name: "-PLUS stripped, another put there", target: behind(scheme, decoyPlus), client: all, want: sasl.ErrSecurity,
			sentence: "A man in the middle replaces the mechanisms that bind with one that no client has. The server sees that the client could bind."},
		{name: "-PLUS stripped, binding required", target: behind(scheme, stripPlus), client: required, want: sasl.ErrPolicy,
			sentence: "The same with a client that requires a binding. The client sends nothing."},
	}
	for i := range rows {
		rows[i].scheme = scheme
	}
	return rows
}

var plusCapability = regexp.MustCompile(` (AUTH=)?SCRAM-[A-Z0-9-]+-PLUS|<mechanism>SCRAM-[A-Z0-9-]+-PLUS</mechanism>`)

// stripPlus removes the mechanisms that bind from a capability list.
func stripPlus(line string) string { return plusCapability.ReplaceAllString(line, "") }

// decoyPlus replaces the mechanisms that bind with a mechanism that no client has,
// whose name also ends in -PLUS.
func decoyPlus(line string) string {
	line = strings.Replace(stripPlus(line), " AUTH=PLAIN", " AUTH=PLAIN AUTH=OTHER-PLUS", 1)
	line = strings.Replace(line, "AUTH PLAIN", "AUTH PLAIN OTHER-PLUS", 1)
	return strings.ReplaceAll(line, "<mechanism>PLAIN<", "<mechanism>OTHER-PLUS</mechanism><mechanism>PLAIN<")
}

// startMiddle starts a man in the middle. The man in the middle has a certificate
// that the client trusts, and passes on the messages of both sides.
func startMiddle(server *target, certificate tls.Certificate, rewrite func(string) string) (net.Listener, error) {
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(client, server, rewrite)
		}
	}()
	return listener, nil
}

func relay(client net.Conn, server *target, rewrite func(string) string) {
	defer client.Close()
	upstream, err := tls.Dial("tcp", server.address, server.tls)
	if err != nil {
		return
	}
	defer upstream.Close()
	go func() {
		io.Copy(upstream, client)
		upstream.Close()
	}()
	arrived := make([]byte, 16<<10) // a record of TLS
	for {
		n, err := upstream.Read(arrived)
		if err != nil {
			return
		}
		if _, err := io.WriteString(client, rewrite(string(arrived[:n]))); err != nil {
			return
		}
	}
}
