package main

import (
	"context"
	"slices"
	"strings"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	sasl "github.com/saslkit/saslkit/core"
)

// knownMechanisms returns every mechanism of the command for a target. The mechanisms
// for a token are the last ones.
func knownMechanisms(t *target, authzid, trace string, credentials sasl.Credentials, token sasl.BearerSource) []sasl.Mechanism {
	return slices.Concat([]sasl.Mechanism{sasl.External(authzid), sasl.Anonymous(trace)},
		sasl.PasswordMechanisms(credentials), onlyNamed(credentials), onlyIMAP(t, credentials), sasl.BearerMechanisms(token))
}

func mechanismNames(mechanisms []sasl.Mechanism) []string {
	names := make([]string, len(mechanisms))
	for i, m := range mechanisms {
		names[i] = m.Name()
	}
	return names
}

// chooseMechanisms turns the names of the flags into mechanisms. A nil token means
// that there is no token.
func (f *authFlags) chooseMechanisms(t *target, credentials sasl.Credentials, token sasl.BearerSource) ([]sasl.Mechanism, error) {
	trace := "saslkit"
	if t.isXMPP() {
		trace = "" // XEP-0175 s2
	}
	ladder := sasl.PasswordMechanisms(credentials)
	bearers := sasl.BearerMechanisms(token)
	kerberos, err := f.kerberos(t, credentials)
	if err != nil {
		return nil, err
	}
	known := knownMechanisms(t, f.authzid, trace, credentials, token)
	known = slices.Insert(known, len(known)-len(bearers), kerberos...)
	names := mechanismNames(known)
	for i, name := range f.insecure {
		m, err := findMechanism(known, "--allow-insecure", name)
		if err != nil {
			return nil, err
		}
		f.insecure[i] = m.Name()
	}
	var chosen []sasl.Mechanism
	for _, name := range f.mechanisms {
		m, err := findMechanism(known, "--mechanism", name)
		if err != nil {
			return nil, err
		}
		if err := f.checkToken(name, slices.Contains(names[len(names)-len(bearers):], m.Name()), token != nil); err != nil {
			return nil, err
		}
		chosen = append(chosen, m)
		t.mechanisms = append(t.mechanisms, m.Name())
	}
	switch {
	case chosen != nil:
		return chosen, nil
	case token != nil:
		return bearers, nil
	case f.kerberosFlags.used():
		return kerberos, nil
	case f.certFile != "" || t.scheme == "ldapi" && t.user == "":
		return append([]sasl.Mechanism{sasl.External(f.authzid)}, ladder...), nil
	}
	return ladder, nil
}

// findMechanism returns the mechanism that a flag names.
func findMechanism(known []sasl.Mechanism, flag, name string) (sasl.Mechanism, error) {
	for _, m := range known {
		if m.Name() == strings.ToUpper(name) {
			return m, nil
		}
	}
	names := mechanismNames(known)
	err := usageError("%s: the mechanism %q is unknown: use one of %s", flag, name, strings.Join(names, " "))
	if found := nearest(strings.ToUpper(name), names); found != "" {
		return nil, &misspelt{err, found}
	}
	return nil, err
}

// onlyNamed returns the mechanisms for a password that the command uses only if
// --mechanism names them.
func onlyNamed(credentials sasl.Credentials) []sasl.Mechanism {
	return []sasl.Mechanism{sasl.Login(credentials), sasl.DigestMD5(credentials), sasl.CRAMMD5(credentials)}
}

// onlyIMAP returns such a mechanism that only IMAP has.
func onlyIMAP(t *target, credentials sasl.Credentials) []sasl.Mechanism {
	if !strings.HasPrefix(t.scheme, "imap") {
		return nil
	}
	return []sasl.Mechanism{saslimap.LoginCommand(credentials)}
}

// checkToken returns an error for a mechanism of --mechanism that needs a token if
// there is none, and for a mechanism that cannot use the token of a flag.
func (f *authFlags) checkToken(name string, needs, has bool) error {
	switch {
	case needs && !has:
		return usageError("--mechanism %s needs a token: use --token-file, --token-command or %s", name, tokenVariable)
	case !needs && f.namesToken():
		return usageError("--mechanism %s does not use a token: omit --token-file and --token-command", name)
	}
	return nil
}

const tokenPrefix = "HT-SHA-256-"

// useTokens returns the configuration of tokens, nil without tokens. It removes the
// names of the token mechanisms from the names of --mechanism.
func (f *authFlags) useTokens(ctx context.Context, t *target) (*sasl.Tokens, error) {
	var named []string
	f.mechanisms = slices.DeleteFunc(f.mechanisms, func(name string) bool {
		name = strings.ToUpper(name)
		isToken := strings.HasPrefix(name, tokenPrefix)
		if isToken {
			named = append(named, name)
		}
		return isToken
	})
	switch {
	case f.tokens == "" && named != nil:
		return nil, usageError("%s logs in with a token: use --tokens to name the file of the tokens", named[0])
	case f.tokens == "":
		return nil, nil
	case f.authzid != "":
		return nil, usageError("--tokens and --authzid exclude each other, because a token is for one identity: omit one of the flags")
	case t.user == "":
		return nil, usageError("--tokens needs a user: put the user into the URL (%s://user@%s) or use --user", t.scheme, t.host)
	}
	store := &tokenFile{f.tokens}
	id, err := store.clientID(ctx)
	t.agentID = id
	return &sasl.Tokens{Store: store, Username: t.user, Mechanisms: named}, err
}
