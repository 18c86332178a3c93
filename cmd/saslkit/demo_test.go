package main

import (
	"crypto/tls"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// demoConstructors are the functions of core that make a mechanism of a client, each
// with a name that the demo has.
var demoConstructors = map[string]string{
	"Anonymous": "ANONYMOUS", "External": "EXTERNAL", "OAuthBearer": "OAUTHBEARER", "Plain": "PLAIN",
	"SCRAM": "SCRAM-SHA-256", "SCRAMPlus": "SCRAM-SHA-256-PLUS", "XOAuth2": "XOAUTH2",
	"Login": "LOGIN", "LoginInitialResponse": "LOGIN", "DigestMD5": "DIGEST-MD5", "CRAMMD5": "CRAM-MD5",
}

// TestDemoHasEveryMechanism compares the mechanisms of the demo and of saslkit list
// with those that the documentation of core lists.
func TestDemoHasEveryMechanism(t *testing.T) {
	users, err := newDemoUsers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range demoRows(users) {
		names = append(names, l.name())
	}
	known := mechanismNames(knownMechanisms(&target{scheme: "imap"}, "", "", nil, nil))
	found := 0
	for _, constructor := range constructors(t) {
		name, ok := demoConstructors[constructor]
		if !ok {
			t.Errorf("core has sasl.%s: add its mechanism to demoRows, to knownMechanisms and to demoConstructors", constructor)
			continue
		}
		found++
		if !slices.Contains(names, name) {
			t.Errorf("the demo has no %s", name)
		}
		if !slices.Contains(known, name) {
			t.Errorf("the command has no %s", name)
		}
	}
	if found != len(demoConstructors) {
		t.Errorf("%d functions of core make a mechanism, and demoConstructors has %d", found, len(demoConstructors))
	}
}

// constructors returns the exported functions of core whose result is one Mechanism.
func constructors(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../../core/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok || function.Recv != nil || !function.Name.IsExported() || function.Type.Results == nil || len(function.Type.Results.List) != 1 {
				continue
			}
			if result, ok := function.Type.Results.List[0].Type.(*ast.Ident); ok && result.Name == "Mechanism" {
				names = append(names, function.Name.Name)
			}
		}
	}
	return names
}

// TestDemoFailures shows that the demo names what did not go as expected.
func TestDemoFailures(t *testing.T) {
	plain := sasl.Plain(demoCredentials)
	logins := []login{
		{mechanism: plain, scheme: "imaps", version: tls.VersionTLS13},
		{mechanism: plain, scheme: "smtp", version: tls.VersionTLS12, err: fmt.Errorf("%w: broken", sasl.ErrProtocol)},
	}
	var text strings.Builder
	writeMechanisms(&text, logins)
	for _, want := range []string{"\nPLAIN      FAILED (1 of 2)  -", "\nFAILED: PLAIN with smtp, TLS 1.2: protocol error: broken\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in %s", want, text.String())
		}
	}
	text.Reset()
	writeSentences(&text, []attack{{scheme: "imaps", name: "wrong password", sentence: "It is wrong.", want: sasl.ErrAuthentication}})
	if want := "WRONG: wrong password with imaps: AUTHENTICATED\n"; !strings.Contains(text.String(), want) {
		t.Errorf("%q is not in %s", want, text.String())
	}
	text.Reset()
	writeLogins(&text, logins)
	if want := "FAILED: protocol error: broken\n"; !strings.Contains(text.String(), want) {
		t.Errorf("%q is not in %s", want, text.String())
	}
	text.Reset()
	writeAttacks(&text, []attack{{scheme: "imaps", name: "wrong password", want: sasl.ErrAuthentication}})
	if want := "WRONG: AUTHENTICATED"; !strings.Contains(text.String(), want) {
		t.Errorf("%q is not in %s", want, text.String())
	}
}
