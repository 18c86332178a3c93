package krb5

import (
	"context"
	"errors"
	"fmt"
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

// TestHiddenKeys: no formatted value shows a key or a password.
func TestHiddenKeys(t *testing.T) {
	c, _ := established(t)
	password := sasl.NewSecret("secret password")
	holders := []any{c, *c, c.key, ticket{key: sessionKey}, cache{tickets: []ticket{{key: sessionKey}}}, keytab{{key: userKey}},
		keytabSecret{keytab{{key: userKey}}}, &passwordSecret{password: &password}, passwordSecret{password: &password}}
	for _, holder := range holders {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			shown := fmt.Sprintf(verb, holder)
			for _, octets := range [][]byte{sessionKey.octets(), userKey.octets(), subkey.octets(), password.Bytes()} {
				for _, form := range []string{"%s", "%x", "%d", "%#v"} {
					if hidden := strings.Trim(fmt.Sprintf(form, octets[:8]), "[]{}byte"); strings.Contains(shown, hidden) {
						t.Errorf("%s of %T shows %s", verb, holder, shown)
					}
				}
			}
		}
	}
}
