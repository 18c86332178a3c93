package krb5

import (
	"context"
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
)

// TestPasswordConfig: credentials that cannot be used are refused before a KDC is asked.
func TestPasswordConfig(t *testing.T) {
	secret := func(context.Context) (sasl.Secret, error) { return sasl.NewSecret("secret"), nil }
	with := func(c sasl.Credential) sasl.Credentials {
		return func(context.Context, sasl.Prompt) (sasl.Credential, error) { return c, nil }
	}
	for want, credentials := range map[string]sasl.Credentials{
		"krb5.Password has no credentials": nil,
		"the credentials have an authzid":  with(sasl.Credential{Username: "alice@R.TEST", Authzid: "bob", Password: secret}),
		"the credential has no password":   with(sasl.Credential{Username: "alice@R.TEST"}),
		`the principal "" has not`:         with(sasl.Credential{Password: secret}),
		`the principal "ab@R" has not`:     with(sasl.Credential{Username: "a\x00b@R", Password: secret}),
		`the principal "a@R@S" has not`:    with(sasl.Credential{Username: "a@R@S", Password: secret}),
		`the principal "a//b@R" has not`:   with(sasl.Credential{Username: "a//b@R", Password: secret}),
		`the principal "xxx`:               with(sasl.Credential{Username: strings.Repeat("x", 2000) + "@R", Password: secret}),
	} {
		k := &kdc{}
		options := k.login(t).options
		_, err := Password(credentials, &options)(t.Context(), saslkerberos.Request{Service: "ldap/dc.test"})
		if !errors.Is(err, sasl.ErrConfig) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") || k.requests != 0 {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestKDCErrorText: the text, which nobody has verified, has no control characters.
func TestKDCErrorText(t *testing.T) {
	err := error(&KDCError{Code: 24, Text: "no\x1b[31m\nway"})
	const want = "authentication error: the password or the key is wrong (Kerberos error 24, no[31mway)"
	if err.Error() != want || !errors.Is(err, sasl.ErrAuthentication) {
		t.Errorf("%q, want %q", err, want)
	}
}
