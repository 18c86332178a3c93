package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	sasl "github.com/saslkit/saslkit/core"
)

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
	passwords, err := newPasswordSource(f.passwordFile, t.user+" at "+t.host)
	if err != nil {
		return nil, err
	}
	token, err := f.bearerSource(t)
	if err != nil {
		return nil, err
	}
	credentials := func(context.Context, sasl.Prompt) (sasl.Credential, error) {
		if t.user == "" {
			return sasl.Credential{}, usageError("there is no user: put the user into the URL (%s://user@%s) or use --user", t.scheme, t.host)
		}
		return sasl.Credential{Username: t.user, Authzid: f.authzid, Password: func(ctx context.Context) (sasl.Secret, error) {
			defer clock.pause()()
			return passwords.password(ctx)
		}}, nil
	}
	tokens, err := f.useTokens(ctx, t)
	if err != nil {
		return nil, err
	}
	mechanisms, err := f.chooseMechanisms(t, credentials, token)
	if err != nil {
		return nil, err
	}
	client := new(sasl.Client)
	*client = sasl.Client{
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
	client.Retry = func(_ context.Context, failed error) *sasl.Client {
		if passwords.prompter == nil || !asksAgain(failed) {
			return nil
		}
		fmt.Fprintln(os.Stderr, "saslkit: "+summary(failed))
		return client
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

// asksAgain reports whether another password may help after a failed attempt.
func asksAgain(failed error) bool {
	var login *sasl.LoginError
	return errors.As(failed, &login) && slices.Contains(login.Hints, sasl.HintPassword)
}
