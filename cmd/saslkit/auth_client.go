package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	sasl "github.com/saslkit/saslkit/core"
)

func (f *authFlags) target(url string) (*target, error) {
	t, err := f.parse(url)
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
	if t.user == "" {
		t.user = f.principal
	}
	if f.connect != "" && t.scheme == "ldapi" {
		return nil, usageError("--connect is for TCP, and ldapi uses a Unix socket: omit --connect")
	}
	if f.connect != "" {
		port := schemes[t.scheme].port
		if port == "" {
			port = xmppPort[t.scheme]
		}
		if t.address, err = connectAddress(f.connect, port); err != nil {
			return nil, err
		}
	}
	if f.tokens != "" && !t.isXMPP() {
		return nil, usageError("--tokens is for XMPP only: omit --tokens")
	}
	if f.trace != "" && f.trace != traceSteps && f.trace != traceWire {
		return nil, usageError("an invalid --trace: %q: use --trace or --trace=wire", f.trace)
	}
	if f.minIterations < 1 || f.minIterations > f.maxIterations {
		return nil, usageError("--min-iterations must be at least 1, and not above --max-iterations")
	}
	if f.noStartTLS && (beginsWithTLS(t.scheme) || t.scheme == "ldapi") {
		return nil, usageError("--no-starttls is for a scheme with STARTTLS, and %s has none: omit --no-starttls", t.scheme)
	}
	if err := f.useLayer(t); err != nil {
		return nil, err
	}
	t.insecure, t.enforcesBinding, t.noStartTLS = len(f.insecure) > 0, f.enforcesBinding, f.noStartTLS
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
			return sasl.Credential{}, noUser(t)
		}
		return sasl.Credential{Username: t.user, Authzid: f.authzid, Password: func(ctx context.Context) (sasl.Secret, error) {
			defer clock.pause()()
			password, err := passwords.password(ctx)
			f.wire.conceal(password)
			return password, err
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
	if tokens == nil && !slices.ContainsFunc(mechanisms, needsNoPassword) {
		if err := passwords.check(t); err != nil {
			return nil, err
		}
	}
	client := new(sasl.Client)
	*client = sasl.Client{
		Mechanisms: mechanisms,
		Tokens:     tokens,
		SCRAM:      sasl.SCRAMOptions{RawPassword: f.rawPassword, MinIterations: f.minIterations, MaxIterations: f.maxIterations},
		Allow:      sasl.AllowInsecure(f.insecure...),
		Trace: func(e sasl.Event) {
			report.Mechanism = e.Mechanism
			f.wire.begin()
			if f.trace != "" {
				fmt.Fprintln(os.Stderr, e)
			}
		},
	}
	client.Retry = passwords.again(client)
	return client, f.bind(client)
}

// bind sets the policy of --channel-binding.
func (f *authFlags) bind(client *sasl.Client) error {
	switch f.binding {
	case "prefer":
	case "require":
		client.Binding = sasl.RequireBinding
	case "disable":
		client.Binding = sasl.DisableBinding
	case "tls-exporter", "tls-server-end-point", "tls-unique":
		client.Binding, client.BindingTypes = sasl.RequireBinding, []string{f.binding}
	default:
		return usageError("an invalid --channel-binding: %q: use disable, prefer, require, tls-exporter, tls-server-end-point or tls-unique", f.binding)
	}
	return nil
}

func noUser(t *target) error {
	return usageError("there is no user: put the user into the URL (%s://user@%s) or use --user", t.scheme, bracketed(t.host))
}

// needsNoPassword reports whether a mechanism works without a password.
func needsNoPassword(m sasl.Mechanism) bool {
	declares, ok := m.(interface{ Properties() sasl.Properties })
	return !ok || !declares.Properties().UsesPassword
}
