package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/saslkit/saslkit/integration/internal/harness"
)

// command builds saslkit once, into a folder that TestMain removes.
var command = sync.OnceValues(func() (program string, err error) {
	if commandDir, err = os.MkdirTemp("", "saslkit"); err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", commandDir, ".")
	build.Dir = "../cmd/saslkit"
	if out, err := build.CombinedOutput(); err != nil {
		return "", errors.New(string(out))
	}
	return filepath.Join(commandDir, "saslkit"), nil
})

var commandDir string

// saslkit runs the command against a server, in a folder that has the server's
// authority as ca.pem, and returns its exit code. The two writers may be the
// same.
func saslkit(t *testing.T, srv harness.Named, stdout, stderr *bytes.Buffer, password string, args ...string) (code int) {
	t.Helper()
	program, err := command()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(cmd.Dir, "ca.pem"), srv.PKI.RootPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "SASLKIT_PASSWORD="+password)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// normalise takes out of a transcript what is never the same twice.
func normalise(text string) string {
	for _, r := range []struct{ pattern, with string }{
		{`127.0.0.1:[0-9]+|192.0.2.1:[0-9]+`, "ADDRESS"}, {`[0-9-]+ [0-9:]+ UTC`, "DATE"}, {`[0-9a-f]{64}`, "HASH"},
		{`r=[^,\n]+`, "r=NONCE"}, {`s=[^,\n]+`, "s=SALT"}, {`[0-9.]+ ms`, "TIME ms"},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.with)
	}
	return strings.TrimSpace(text)
}

// TestReadmeTranscript: the README shows what the command prints.
func TestReadmeTranscript(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	srv := harness.Dovecot(t)
	for _, row := range []struct {
		shown    string // the command line in the README
		password string
		code     int
		args     []string
	}{
		{"--trace --ca-file ca.pem imap://alice@dovecot.test", "secret", 0, []string{"--trace", "--connect", srv.IMAP, "imap://alice@dovecot.test"}},
		{"--ca-file ca.pem imap://alice@dovecot.test", "wrong", 1, []string{"--connect", srv.IMAP, "imap://alice@dovecot.test"}},
		{"imaps://alice@dovecot.test:143", "secret", 6, []string{"--connect", srv.IMAP, "imaps://alice@dovecot.test:143"}},
	} {
		_, want, ok := strings.Cut(string(readme), "\n$ saslkit auth "+row.shown+"\n")
		want, _, ok2 := strings.Cut(want, "```")
		want, _, _ = strings.Cut(want, "\n$ ")
		if !ok || !ok2 {
			t.Errorf("the README has no transcript of saslkit auth %s", row.shown)
		}
		var got bytes.Buffer
		code := saslkit(t, srv.Named, &got, &got, row.password, append([]string{"auth", "--ca-file", "ca.pem"}, row.args...)...)
		if code != row.code || normalise(got.String()) != normalise(want) {
			t.Errorf("exit code %d, printed\n%s\nthe README has\n%s", code, got.String(), want)
		}
	}
}

type commandRow struct {
	connect, password string
	args              []string
	code              int
	class, binding    string
	text              string // contained in the output for a person
}

// TestCommandAgainstDovecot: the outcomes that a script reads.
func TestCommandAgainstDovecot(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	for name, row := range map[string]commandRow{
		"TLS 1.3":             {srv.IMAPS, "secret", []string{"imaps://alice@dovecot.test"}, 0, "", "tls-exporter", ""},
		"TLS 1.2":             {srv.IMAPS, "secret", []string{"--tls-max", "1.2", "imaps://alice@dovecot.test"}, 0, "", "tls-unique", ""},
		"wrong password":      {srv.IMAPS, "wrong", []string{"imaps://alice@dovecot.test"}, 1, "authentication", "tls-exporter", ""},
		"disabled":            {srv.IMAPS, "secret", []string{"imaps://carol@dovecot.test"}, 1, "authorization", "tls-exporter", ""},
		"not offered":         {srv.IMAPS, "secret", []string{"--mechanism", "SCRAM-SHA-512", "imaps://alice@dovecot.test"}, 5, "policy", "", ""},
		"LOGIN":               {srv.IMAPS, "secret", []string{"--mechanism", "SCRAM-SHA-512,imap-login", "imaps://alice@dovecot.test"}, 0, "", "", ""},
		"LOGIN refused":       {srv.IMAPS, "wrong", []string{"--mechanism", "IMAP-LOGIN", "imaps://alice@dovecot.test"}, 1, "authentication", "", ""},
		"another name":        {srv.IMAPS, "secret", []string{"imaps://alice@other.test"}, 4, "security", "", ""},
		"submission":          {srv.Submission.STARTTLS, "secret", []string{"smtp://alice@dovecot.test"}, 0, "", "tls-exporter", ""},
		"submissions":         {srv.Submission.Implicit, "secret", []string{"submissions://alice@dovecot.test"}, 0, "", "tls-exporter", ""},
		"disabled submission": {srv.Submission.STARTTLS, "secret", []string{"smtp://carol@dovecot.test"}, 1, "authorization", "tls-exporter", "Gone"},
	} {
		t.Run(name, func(t *testing.T) { row.check(t, srv.Named) })
	}
}

func TestCommandAgainstPostfix(t *testing.T) {
	t.Parallel()
	srv, hides := harness.Postfix(t), harness.PostfixPlus(t)
	for name, row := range map[string]commandRow{
		"STARTTLS":       {srv.DovecotSASL.STARTTLS, "secret", []string{"smtp://alice@postfix.test"}, 0, "", "", ""},
		"implicit":       {srv.CyrusSASL.Implicit, "secret", []string{"smtps://alice@postfix.test"}, 0, "", "", ""},
		"wrong password": {srv.DovecotSASL.STARTTLS, "wrong", []string{"smtp://alice@postfix.test"}, 1, "authentication", "", ""},
		"bound":          {srv.DovecotSASL.STARTTLS, "secret", []string{"--channel-binding", "require", "smtp://alice@postfix.test"}, 5, "policy", "", ""},
		"another name":   {srv.DovecotSASL.STARTTLS, "secret", []string{"smtp://alice@other.test"}, 4, "security", "", ""},
	} {
		t.Run(name, func(t *testing.T) { row.check(t, srv.Named) })
	}
	for name, row := range map[string]commandRow{
		"hidden -PLUS":           {hides.DovecotSASL.STARTTLS, "secret", []string{"smtp://alice@postfix.test"}, 1, "authentication", "", "--channel-binding disable"},
		"hidden and allowed for": {hides.DovecotSASL.STARTTLS, "secret", []string{"--channel-binding", "disable", "smtp://alice@postfix.test"}, 0, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) { row.check(t, hides.Named) })
	}
}

func TestCommandAgainstProsody(t *testing.T) {
	t.Parallel()
	srv := harness.Prosody(t)
	for name, row := range map[string]commandRow{
		"STARTTLS":       {srv.STARTTLS, "secret", []string{"xmpp://alice@prosody.test"}, 0, "", "tls-exporter", ""},
		"direct":         {srv.Direct, "secret", []string{"--tls-max", "1.2", "xmpps://alice@prosody.test"}, 0, "", "tls-unique", ""},
		"anonymous":      {srv.STARTTLS, "", []string{"--mechanism", "ANONYMOUS", "xmpp://" + harness.XMPPAnonymous}, 0, "", "", ""},
		"wrong password": {srv.STARTTLS, "wrong", []string{"xmpp://alice@prosody.test"}, 1, "authentication", "tls-exporter", ""},
		"disabled":       {srv.Direct, "secret", []string{"xmpps://carol@" + harness.XMPPSHA256}, 1, "authorization", "tls-exporter", ""},
		"unknown domain": {srv.STARTTLS, "secret", []string{"xmpp://alice@other.test"}, 6, "connection", "", "host-unknown"},
		"another name":   {srv.Direct, "secret", []string{"xmpps://alice@other.test"}, 6, "connection", "", "unrecognized name"},
		"not offered":    {srv.STARTTLS, "secret", []string{"--mechanism", "SCRAM-SHA-512", "xmpp://alice@prosody.test"}, 5, "policy", "", ""},
	} {
		t.Run(name, func(t *testing.T) { row.check(t, srv.Named) })
	}
}

// TestCommandAgainstOpenLDAP shows that the authzid is the identity at the server.
func TestCommandAgainstOpenLDAP(t *testing.T) {
	t.Parallel()
	srv := harness.OpenLDAP(t)
	for name, row := range map[string]commandRow{
		"StartTLS":       {srv.LDAP, "secret", []string{"ldap://alice@openldap.test"}, 0, "", "tls-server-end-point", ""},
		"TLS":            {srv.LDAPS, "secret", []string{"ldaps://alice@openldap.test"}, 0, "", "tls-server-end-point", ""},
		"wrong password": {srv.LDAPS, "wrong", []string{"ldaps://alice@openldap.test"}, 1, "authentication", "tls-server-end-point", ""},
		"acting as bob":  {srv.LDAPS, "secret", []string{"--authzid", "u:bob", "ldaps://alice@openldap.test"}, 0, "", "tls-server-end-point", ""},
		"acting as none": {srv.LDAPS, "secret", []string{"--authzid", "bob", "ldaps://alice@openldap.test"}, 1, "authorization", "tls-server-end-point", ""},
		"another name":   {srv.LDAP, "secret", []string{"ldap://alice@other.test"}, 4, "security", "", ""},
		"ldap to TLS":    {srv.LDAPS, "secret", []string{"ldap://alice@openldap.test"}, 6, "connection", "", "write ldaps:// in place of ldap://"},
		"ldaps to LDAP":  {srv.LDAP, "secret", []string{"ldaps://alice@openldap.test"}, 6, "connection", "", "write ldap:// in place of ldaps://"},
		"another type":   {srv.LDAP, "secret", []string{"--tls-max", "1.2", "--channel-binding", "tls-unique", "ldap://alice@openldap.test"}, 4, "security", "tls-unique", "--channel-binding chooses the binding"},
	} {
		t.Run(name, func(t *testing.T) { row.check(t, srv.Named) })
	}

	var stdout, stderr bytes.Buffer
	saslkit(t, srv.Named, &stdout, &stderr, "secret", "auth", "--ca-file", "ca.pem", "--connect", srv.LDAP, "--authzid", "u:bob", "ldap://alice@openldap.test")
	if want := "authenticated as alice (dn:uid=bob,ou=people,dc=test) with SCRAM-SHA-512-PLUS, bound to tls-server-end-point, in 2 round trips"; !strings.Contains(stdout.String(), want) {
		t.Errorf("%q is not in %s%s", want, stdout.String(), stderr.String())
	}
}

// TestCommandOnSocket: in the server's container, where its Unix socket is and
// the user is root.
func TestCommandOnSocket(t *testing.T) {
	t.Parallel()
	srv := harness.OpenLDAP(t)
	program := filepath.Join(t.TempDir(), "saslkit")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = "../cmd/saslkit"
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	const socket = "%2Frun%2Fslapd%2Fldapi"
	for name, row := range map[string]struct {
		args []string
		code int
		want string
	}{
		"EXTERNAL":       {[]string{"--mechanism", "EXTERNAL", "ldapi://" + socket}, 0, "authenticated (dn:gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth) with EXTERNAL"},
		"nothing said":   {[]string{"ldapi://" + socket}, 0, "authenticated (dn:gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth) with EXTERNAL"},
		"PLAIN":          {[]string{"--mechanism", "PLAIN", "ldapi://alice@" + socket}, 0, "authenticated as alice (dn:uid=alice,ou=people,dc=test) with PLAIN"},
		"the strongest":  {[]string{"ldapi://alice@" + socket}, 0, "with SCRAM-SHA-512, not bound to the channel"},
		"wrong password": {[]string{"ldapi://bob@" + socket}, 1, "authentication error"},
	} {
		code, output := srv.Run(t, program, []string{"SASLKIT_PASSWORD=secret"}, append([]string{"auth"}, row.args...)...)
		if code != row.code || !strings.Contains(output, row.want) {
			t.Errorf("%s: exit code %d, %s, want %q", name, code, output, row.want)
		}
	}
}

func (row commandRow) check(t *testing.T, srv harness.Named) {
	t.Helper()
	args := append([]string{"auth", "--json", "--ca-file", "ca.pem", "--connect", row.connect}, row.args...)
	var stdout, stderr bytes.Buffer
	code := saslkit(t, srv, &stdout, &stderr, row.password, args...)
	var got struct {
		Authenticated         bool
		Class, Text           string
		Binding               string `json:"channel_binding"`
		Offered               []string
		TLSVersion, Mechanism string
	}
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s%s", err, stdout.String(), stderr.String())
	}
	if code != row.code || got.Class != row.class || got.Binding != row.binding || got.Authenticated != (row.code == 0) {
		t.Errorf("exit code %d, %+v", code, got)
	}
	if row.text == "" {
		return
	}
	stderr.Reset()
	saslkit(t, srv, &stdout, &stderr, row.password, slices.DeleteFunc(args, func(arg string) bool { return arg == "--json" })...)
	if !strings.Contains(stderr.String(), row.text) {
		t.Errorf("%q is not in %s", row.text, stderr.String())
	}
}
