package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/pflag"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"saslkit": func() {
		resolveBy(os.Getenv("DNS"))
		main()
	}})
}

// TestScripts runs the command against servers in this process. The environment of
// the scripts has the addresses of the servers.
func TestScripts(t *testing.T) {
	pki, err := newDemoPKI()
	if err != nil {
		t.Fatal(err)
	}
	users, err := newDemoUsers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	auth := users.server()
	auth.Insecure = []string{"SCRAM-SHA-256"}
	server, err := startDemo(pki, auth, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.close)
	stripper, err := startMiddle(server.target("imaps"), pki.other, stripPlus)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stripper.Close() })
	environment := map[string]string{
		"IMAP":  server.addresses["imap"],
		"IMAPS": server.addresses["imaps"],
		"SMTP":  server.addresses["smtp"],
		"SMTPS": server.addresses["smtps"],
		"XMPP":  server.addresses["xmpp"],
		"XMPPS": server.addresses["xmpps"],
		"XMPPCLEAR": answering(t, "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='mail.demo.test' version='1.0'>"+
			"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"),
		"SMTPCLEAR": answering(t, "220 hi\r\n250-mail.demo.test\r\n250 AUTH PLAIN\r\n"),
		"SMTPBUSY":  answering(t, "421 too many connections\r\n"),
		"LDAPCLEAR": answering(t, "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00"),
		"LDAPBUSY":  answering(t, "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x33\x04\x00\x04\x00"),
		"STRIP":     stripper.Addr().String(),
		"STALL":     answering(t, ""),
		"LOGINONLY": answering(t, "* OK [CAPABILITY IMAP4rev1 AUTH=LOGIN AUTH=NTLM] hi\r\n"),
		"ALERT":     answering(t, "\x15\x03\x01\x00\x02\x02\x0a"),
		"HTTP":      answering(t, "HTTP/1.1 400 Bad Request\r\n\r\n"),
		"CLEAR":     withoutTLS(t, server.addresses["imap"]),
		"ESCAPE":    answering(t, "* OK hi\r\nA1 NO \x1b]0;pwned\a\r\n"),
		"BUSY":      answering(t, "* BYE too many connections\r\n"),
	}
	environment["DNS"] = dnsServer(t, environment)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			for name, value := range environment {
				env.Setenv(name, value)
			}
			return writePKI(env.WorkDir, pki)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "readme": readme},
	})
}

// exits runs a command and compares the exit code: exits 4 saslkit auth …
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit := (*exec.ExitError)(nil); err != nil {
		var ok bool
		if exit, ok = err.(*exec.ExitError); !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// answering starts a server that sends the text to every client and then nothing.
func answering(t *testing.T, text string) (address string) {
	return sasltest.Listen(t, func(conn net.Conn) {
		io.WriteString(conn, text)
		io.Copy(io.Discard, conn)
		conn.Close()
	})
}

// withoutTLS starts a man in the middle that removes STARTTLS from the capabilities
// of the demo's server.
func withoutTLS(t *testing.T, server string) (address string) {
	return sasltest.Listen(t, func(client net.Conn) {
		defer client.Close()
		upstream, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer upstream.Close()
		go io.Copy(client, upstream)
		lines := bufio.NewReader(client)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			io.WriteString(upstream, strings.Replace(line, "STARTTLS", "STARTNOTHING", 1))
		}
	})
}

// writePKI writes the demo's authority, and its user's certificate with the
// key.
func writePKI(dir string, pki *demoPKI) error {
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pki.root.Raw})
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), authority, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "long"), bytes.Repeat([]byte("a"), 32<<10+1), 0o600); err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(pki.client.PrivateKey)
	if err != nil {
		return err
	}
	client := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pki.client.Certificate[0]})
	client = append(client, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	return os.WriteFile(filepath.Join(dir, "alice.pem"), client, 0o600)
}

// TestExitCodes shows the exit codes of the documentation.
func TestExitCodes(t *testing.T) {
	for class, want := range map[sasl.Class]int{
		sasl.ErrAuthentication: 1, sasl.ErrAuthorization: 1, sasl.ErrConfig: 2, sasl.ErrProtocol: 3,
		sasl.ErrSecurity: 4, sasl.ErrPolicy: 5, sasl.ErrTemporary: 6, sasl.ErrConnection: 6,
	} {
		if got := exitCode(class); got != want {
			t.Errorf("%v: %d, want %d", class, got, want)
		}
	}
	if got := exitCode(&tls.CertificateVerificationError{}); got != 2 {
		t.Errorf("without a class: %d", got)
	}
}

// TestEveryFlagIsInAScript shows that a script, or a test with a real server, runs the
// command with each flag.
func TestEveryFlagIsInAScript(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	withServers, err := filepath.Glob("../../integration/*command*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var runs strings.Builder
	for _, path := range withServers {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		runs.Write(text)
	}
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "exits ") {
				runs.WriteString(line)
			}
		}
	}
	for _, cmd := range rootCommand().Commands() {
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if !regexp.MustCompile(`(saslkit ` + cmd.Name() + `\b.* |")--` + flag.Name + `\b`).MatchString(runs.String()) {
				t.Errorf("no script runs saslkit %s with --%s", cmd.Name(), flag.Name)
			}
		})
	}
}
