package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// TestEveryHintHasAdvice shows that the command has its own text for every hint,
// and that no text names a Go identifier.
func TestEveryHintHasAdvice(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../core/hint.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	hints := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Hint" {
			return true
		}
		hints++
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		advice := hintAdvice[sasl.Hint(value)]
		if advice == "" {
			t.Errorf("%s has no advice", spec.Names[0].Name)
		}
		if found := goIdentifier.FindString(advice); found != "" {
			t.Errorf("%s: the advice names %s, which is not a flag", spec.Names[0].Name, found)
		}
		return true
	})
	if hints != len(hintAdvice) || hints < 6 {
		t.Errorf("%d hints, and advice for %d", hints, len(hintAdvice))
	}
}

// TestAdvice shows that the most likely cause comes first, and that the mechanisms
// that were not used follow.
func TestAdvice(t *testing.T) {
	refusal := &sasl.Failure{Class: sasl.ErrAuthentication, Condition: sasl.NotAuthorized, Text: "no"}
	refused := func(text string) error {
		return &sasl.LoginError{Err: &sasl.Failure{Class: sasl.ErrAuthentication, Condition: sasl.NotAuthorized, Text: text}, Hints: []sasl.Hint{sasl.HintPassword}, ByServer: true}
	}
	const another = "|advice: the server gives its own reason, which is perhaps not the password"
	for want, err := range map[string]error{
		"authentication error: the server refuses the login (not-authorized): no|advice: check the user name and the password|advice: a proxy may hide the mechanisms that bind; use --channel-binding disable if this proxy is known|not tried: PLAIN (--mechanism chooses one)": &sasl.LoginError{
			Err: refusal, Hints: []sasl.Hint{sasl.HintPassword, sasl.HintProxy}, NotTried: []string{"PLAIN"}, ByServer: true},
		"authentication error: the server refuses the login (not-authorized): no":                              &sasl.LoginError{Err: refusal, ByServer: true},
		"authorization error: no|advice: the password is correct, but the server does not allow this identity": fmt.Errorf("%w: no", sasl.ErrAuthorization),
		"authorization error: the server refuses the login (account-disabled): locked|advice: the server refuses the account, whatever the password is": &sasl.LoginError{
			Err: &sasl.Failure{Class: sasl.ErrAuthorization, Condition: sasl.AccountDisabled, Text: "locked"}, ByServer: true},
		"policy error: the server does not show its list of SASL mechanisms (no)|advice: --mechanism counts as the list of such a server": fmt.Errorf(
			"%w (no): set Options.Mechanisms if you know its mechanisms", saslldap.ErrNoList),
		"policy error: nothing; the server may have only the LOGIN command|advice: use --mechanism IMAP-LOGIN to log in with this command": fmt.Errorf(
			"%w: nothing; %w: set Options.LoginCommand to allow it", sasl.ErrPolicy, saslimap.ErrLoginCommand),
		"temporary error: no|advice: try again later": fmt.Errorf("%w: no", sasl.ErrTemporary),
		"authentication error: the server refuses the login (not-authorized): SmtpClientAuthentication is disabled for the Tenant" + another: refused("SmtpClientAuthentication is disabled for the Tenant"),
		"authentication error: the server refuses the login (not-authorized): AUTHENTICATE mechanism not supported, mate" + another:          refused("AUTHENTICATE mechanism not supported, mate"),
		"authentication error: the server refuses the login (not-authorized): Too many bad auth attempts" + another:                          refused("Too many bad auth attempts"),
		"authentication error: the server refuses the login (not-authorized): Bad password|advice: check the user name and the password":     refused("Bad password"),
	} {
		if got := strings.Join(append([]string{summary(err)}, advise(err)...), "|"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	disabled := &sasl.Failure{Class: sasl.ErrAuthorization, Condition: sasl.AccountDisabled}
	if lines := others(&sasl.LoginError{Err: disabled, ByServer: true, NotTried: []string{"PLAIN"}}); lines != nil {
		t.Errorf("an account that is disabled: %q", lines)
	}
	if lines := others(&sasl.LoginError{Err: refusal, ByServer: true, NotTried: []string{"SCRAM-SHA-1", "PLAIN"}}); len(lines) != 1 || lines[0] != "not tried: SCRAM-SHA-1 PLAIN (--mechanism chooses one)" {
		t.Errorf("%q", lines)
	}
	lines := others(&sasl.LoginError{Err: sasl.ErrPolicy, PassedOver: []sasl.PassedOver{
		{Mechanism: "GSSAPI", Reason: errors.New("this library does not have it")}, {Mechanism: "PLAIN", Reason: errors.New("not allowed\x1b[1m")}}})
	if got := strings.Join(lines, "|"); got != "not used: GSSAPI: this library does not have it|not used: PLAIN: not allowed[1m" {
		t.Error(got)
	}
}
