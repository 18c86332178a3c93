package saslimap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"

	sasl "github.com/saslkit/saslkit/core"
)

const listsNothing = "* OK [CAPABILITY IMAP4rev1] hi"

// loginClient is a client with the LOGIN command as its last mechanism.
func loginClient(username, password string) *sasl.Client {
	credentials := sasl.Password(username, password)
	return &sasl.Client{
		Mechanisms: []sasl.Mechanism{sasl.SCRAM(sasl.SHA256, credentials), sasl.Plain(credentials), LoginCommand(credentials)},
		Allow:      plain.Allow,
	}
}

// loginConn is a Conn over a script, with the option.
func loginConn(t *testing.T, lines ...string) *Conn {
	t.Helper()
	c, err := NewConn(t.Context(), prompt(t, lines...), host, &Options{LoginCommand: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestLoginCommandStrings: RFC 9051 s4.3 and s9 have the forms.
func TestLoginCommandStrings(t *testing.T) {
	long, longer := strings.Repeat("p", 480), strings.Repeat("p", 481)
	for name, row := range map[string]struct {
		username, password string
		lines              []string
	}{
		"the RFC's":                  {"SMITH", "SESAME", []string{`<A1 LOGIN "SMITH" "SESAME"`}},
		"quotes and backslashes":     {`to"m`, `a\b"c`, []string{`<A1 LOGIN "to\"m" "a\\b\"c"`}},
		"specials":                   {"a b(c)", "{5}%*]", []string{`<A1 LOGIN "a b(c)" "{5}%*]"`}},
		"a control character":        {"tim", "a\tb\x7f", []string{"<A1 LOGIN \"tim\" \"a\tb\x7f\""}},
		"an 8-bit password":          {"tim", "pässword", []string{`<A1 LOGIN "tim" {9}`, "+ Ready", "<pässword"}},
		"an 8-bit username":          {"jürgen", "secret", []string{"<A1 LOGIN {7}", "+", `<jürgen "secret"`}},
		"both":                       {"jürgen", "pässword", []string{"<A1 LOGIN {7}", "+ Ready", "<jürgen {9}", "* OK wait", "+ Ready", "<pässword"}},
		"the longest quoted string":  {long, long, []string{`<A1 LOGIN "` + long + `" "` + long + `"`}},
		"a longer one":               {longer, "secret", []string{"<A1 LOGIN {481}", "+ ", `<` + longer + ` "secret"`}},
		"escapes count":              {"tim", long[1:] + `"`, []string{`<A1 LOGIN "tim" {480}`, "+ ", "<" + long[1:] + `"`}},
		"16 KiB":                     {"tim", strings.Repeat("p", 16<<10), []string{`<A1 LOGIN "tim" {16384}`, "+ ", "<" + strings.Repeat("p", 16<<10)}},
		"a challenge in the request": {"tim", "pässword", []string{`<A1 LOGIN "tim" {9}`, "+ YWJj", "<pässword"}},
	} {
		c := loginConn(t, append(append([]string{listsNothing}, row.lines...), "A1 OK [CAPABILITY IMAP4rev1 X] welcome")...)
		result, err := c.Authenticate(soon(t), loginClient(row.username, row.password))
		if err != nil || result.Mechanism != "IMAP-LOGIN" || result.Username != row.username || result.Authzid != "" {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
		if !slices.Equal(c.capabilities, []string{"IMAP4REV1", "X"}) {
			t.Errorf("%s: capabilities %q", name, c.capabilities)
		}
		if _, err := c.Authenticate(t.Context(), plain); sasl.ClassOf(err) != sasl.ErrConfig {
			t.Errorf("%s, once more: %v", name, err)
		}
	}
}

// TestLoginCommandSelection: core selects the command from the list as any
// mechanism, and nothing is sent if it is not there.
func TestLoginCommandSelection(t *testing.T) {
	for name, row := range map[string]struct {
		capabilities string
		lines        []string
		class        sasl.Class // "" = success
		mechanism    string
	}{
		"no AUTH=":              {"", []string{`<A1 LOGIN "tim" "tanstaaf"`, "A1 OK hi"}, "", "IMAP-LOGIN"},
		"an unknown AUTH=":      {"SASL-IR AUTH=X-KEY AUTH=GSSAPI", []string{`<A1 LOGIN "tim" "tanstaaf"`, "A1 OK hi"}, "", "IMAP-LOGIN"},
		"AUTH=PLAIN":            {"SASL-IR AUTH=PLAIN", []string{"<A1 AUTHENTICATE PLAIN AHRpbQB0YW5zdGFhZg==", "A1 OK hi"}, "", "PLAIN"},
		"a new list":            {"", []string{`<A1 LOGIN "tim" "tanstaaf"`, "* CAPABILITY IMAP4rev1 X", "A1 OK hi"}, "", "IMAP-LOGIN"},
		"LOGINDISABLED":         {"LOGINDISABLED", nil, sasl.ErrPolicy, ""},
		"LOGINDISABLED, GSSAPI": {"LOGINDISABLED AUTH=GSSAPI", nil, sasl.ErrPolicy, ""},
		"a server's own":        {"LOGINDISABLED AUTH=IMAP-LOGIN", nil, sasl.ErrPolicy, ""},
	} {
		c := loginConn(t, append([]string{"* OK [CAPABILITY IMAP4rev1 " + row.capabilities + "] hi"}, row.lines...)...)
		result, err := c.Authenticate(soon(t), loginClient("tim", "tanstaaf"))
		if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") || result.Mechanism != row.mechanism || errors.Is(err, ErrLoginCommand) {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
	}
}

// TestLoginCommandIsOff: without the option the command is not sent, whatever the
// server lists.
func TestLoginCommandIsOff(t *testing.T) {
	for _, greeting := range []string{listsNothing, "* OK [CAPABILITY IMAP4rev1 AUTH=IMAP-LOGIN] hi"} {
		c, err := NewConn(t.Context(), prompt(t, greeting), host, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Authenticate(soon(t), loginClient("tim", "tanstaaf"))
		if sasl.ClassOf(err) != sasl.ErrPolicy || !errors.Is(err, ErrLoginCommand) || err.Error() != "policy error: the server offers no mechanism; the server may have only the LOGIN command: set Options.LoginCommand to allow it" {
			t.Errorf("%s: %v", greeting, err)
		}
	}
	// A server that forbids the command under TLS too does not have it.
	c, err := NewConn(t.Context(), prompt(t, "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi"), host, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.info.TLSVersion = tls.VersionTLS13
	if _, err := c.Authenticate(soon(t), loginClient("tim", "tanstaaf")); sasl.ClassOf(err) != sasl.ErrPolicy || errors.Is(err, ErrLoginCommand) {
		t.Errorf("LOGINDISABLED: %v", err)
	}
	client := imapclient.New(prompt(t, "* OK [CAPABILITY IMAP4rev1 AUTH=IMAP-LOGIN] hi"), nil)
	defer client.Close()
	if _, err := Authenticate(soon(t), client, loginClient("tim", "tanstaaf"), Existing{}); sasl.ClassOf(err) != sasl.ErrPolicy {
		t.Errorf("a client that exists: %v", err)
	}
}

// TestLoginCommandInsecure: the default policy sends no password to a server that
// is not verified. Its exceptions name the command like any mechanism.
func TestLoginCommandInsecure(t *testing.T) {
	client := loginClient("tim", "tanstaaf")
	client.Allow = nil
	if _, err := loginConn(t, listsNothing).Authenticate(soon(t), client); sasl.ClassOf(err) != sasl.ErrPolicy {
		t.Error(err)
	}
	client.Allow = sasl.AllowInsecure(LoginCommandName)
	if _, err := loginConn(t, listsNothing, `<A1 LOGIN "tim" "tanstaaf"`, "A1 OK hi").Authenticate(soon(t), client); err != nil {
		t.Error(err)
	}
	client.Allow, client.Binding = plain.Allow, sasl.RequireBinding
	if _, err := loginConn(t, listsNothing).Authenticate(soon(t), client); sasl.ClassOf(err) != sasl.ErrPolicy {
		t.Errorf("with a required binding: %v", err)
	}
}

// TestLoginCommandAfterToken: no password follows a token that the server refused.
func TestLoginCommandAfterToken(t *testing.T) {
	c := loginConn(t, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hi",
		"<A1 AUTHENTICATE XOAUTH2 dXNlcj10aW0BYXV0aD1CZWFyZXIgdG9rAQE=", "A1 NO [AUTHENTICATIONFAILED] expired")
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.XOAuth2(sasl.FixedBearerToken("tim", "tok"))}, Allow: plain.Allow}
	retried := false
	client.Retry = func(context.Context, error) *sasl.Client {
		retried = true
		return &sasl.Client{Mechanisms: []sasl.Mechanism{LoginCommand(sasl.Password("tim", "tanstaaf"))}, Allow: plain.Allow}
	}
	_, err := c.Authenticate(soon(t), client)
	if sasl.ClassOf(err) != sasl.ErrAuthentication || !retried || !strings.Contains(err.Error(), "IMAP-LOGIN") {
		t.Errorf("%v, retried: %t", err, retried)
	}
}

// TestLoginCommandRefusedHere: what the command cannot carry is an ErrConfig, and
// nothing is sent.
func TestLoginCommandRefusedHere(t *testing.T) {
	down := errors.New("no terminal")
	for name, row := range map[string]struct {
		credentials sasl.Credentials
		text        string
	}{
		"no credentials":      {nil, "pass Credentials"},
		"credentials fail":    {func(context.Context, sasl.Prompt) (sasl.Credential, error) { return sasl.Credential{}, down }, "no terminal"},
		"an authzid":          {sasl.Password("tim", "tanstaaf").ActingAs("root"), "authzid"},
		"nobody":              {sasl.Password("", "tanstaaf"), "username is empty"},
		"no password":         {sasl.Password("tim", ""), "password is empty"},
		"NUL in the name":     {sasl.Password("t\x00im", "tanstaaf"), "NUL"},
		"NUL in the password": {sasl.Password("tim", "tan\x00staaf"), "NUL"},
		"a new command":       {sasl.Password("tim", "tanstaaf\r\nA2 DELETE INBOX"), "password has a CR or an LF"},
		"CR in the password":  {sasl.Password("tim", "tan\rstaaf"), "password has a CR or an LF"},
		"LF in the password":  {sasl.Password("tim", "tanstaaf\n"), "password has a CR or an LF"},
		"CR in the name":      {sasl.Password("t\rim", "tanstaaf"), "username has a CR or an LF"},
		"LF in the name":      {sasl.Password("tim\n", "tanstaaf"), "username has a CR or an LF"},
		"not UTF-8":           {sasl.Password("tim", "p\xe4ssword"), "not UTF-8"},
		"a long name":         {sasl.Password(strings.Repeat("t", 1025), "tanstaaf"), "over 1 KiB"},
		"a long password":     {sasl.Password("tim", strings.Repeat("p", 32<<10+1)), "over 32 KiB"},
	} {
		c := loginConn(t, listsNothing, `<A1 LOGIN "tim" "tanstaaf"`, "A1 OK hi")
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{LoginCommand(row.credentials)}, Allow: plain.Allow}
		_, err := c.Authenticate(t.Context(), client)
		if sasl.ClassOf(err) != sasl.ErrConfig || !strings.Contains(err.Error(), row.text) || strings.Contains(err.Error(), "staaf") {
			t.Errorf("%s: %v", name, err)
		}
		// The next login is the first thing that the server sees.
		if _, err := c.Authenticate(soon(t), loginClient("tim", "tanstaaf")); err != nil {
			t.Errorf("%s, then: %v", name, err)
		}
	}
}

// TestLoginCommandErrorStays: after an error every further call returns that error.
func TestLoginCommandErrorStays(t *testing.T) {
	run := LoginCommand(sasl.Password("tim", "tanstaaf\n")).New(sasl.Terms{})
	_, _, first := run.Step(t.Context(), nil)
	if out, done, err := run.Step(t.Context(), nil); first == nil || err != first || done || out != nil {
		t.Errorf("%q, %t, %v after %v", out, done, err, first)
	}
}

// TestLoginCommandPrompt: the credentials are asked for under the command's name.
func TestLoginCommandPrompt(t *testing.T) {
	var asked []string
	credentials := func(ctx context.Context, prompt sasl.Prompt) (sasl.Credential, error) {
		asked = append(asked, prompt.Mechanism+" "+prompt.Server.Host)
		return sasl.Password("tim", "tanstaaf")(ctx, prompt)
	}
	var trace []string
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{LoginCommand(credentials)}, Allow: plain.Allow,
		Trace: func(e sasl.Event) { trace = append(trace, fmt.Sprint(e)) }}
	c := loginConn(t, listsNothing, `<A1 LOGIN "tim" "tanstaaf"`, "A1 OK hi")
	if _, err := c.Authenticate(soon(t), client); err != nil || !slices.Equal(asked, []string{"IMAP-LOGIN mail.example.org"}) {
		t.Errorf("%v, asked for %q", err, asked)
	}
	if want := []string{"-- IMAP-LOGIN", `C: username="tim" password=…`, "S+ (none)"}; !slices.Equal(trace, want) {
		t.Errorf("trace %q, want %q", trace, want)
	}
}
