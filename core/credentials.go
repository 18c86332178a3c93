package sasl

import (
	"bytes"
	"context"
	"unicode/utf8"
)

// Credentials is a function that returns the identity to log in as. The function
// is called once in a run, after the mechanism is chosen. The function may ask a
// person, and must return when ctx ends. An error without a Class counts as
// ErrConfig.
type Credentials func(ctx context.Context, prompt Prompt) (Credential, error)

// Prompt names the mechanism and the server that need a credential.
type Prompt struct {
	Mechanism string     // the name
	Server    ServerInfo // the server and the connection
	// Refused is the token that the server has just refused; empty = none. Only a
	// BearerSource receives it.
	Refused Secret
}

// Credential is an identity with access to its password.
type Credential struct {
	// Authzid is the identity to act as; empty = the identity of Username.
	Authzid  string
	Username string
	// Realm is the realm of the account, for DIGEST-MD5 (RFC 2831 s2.1.1); empty = the
	// server's only realm. Other mechanisms ignore Realm.
	Realm string
	// Password returns the password. Password is called at most once in a run.
	Password func(context.Context) (Secret, error)
}

// Password returns fixed credentials.
func Password(username, password string) Credentials {
	secret := NewSecret(password)
	credential := Credential{
		Username: username,
		Password: func(context.Context) (Secret, error) { return secret, nil },
	}
	return func(context.Context, Prompt) (Credential, error) { return credential, nil }
}

// ActingAs returns the same credentials with an authzid. The authzid is the
// identity to act as after Username is authenticated.
func (c Credentials) ActingAs(authzid string) Credentials {
	return func(ctx context.Context, prompt Prompt) (Credential, error) {
		credential, err := c(ctx, prompt)
		credential.Authzid = authzid
		return credential, err
	}
}

// InRealm returns the same credentials for an account in a realm, which DIGEST-MD5
// needs if the server has several realms.
func (c Credentials) InRealm(realm string) Credentials {
	return func(ctx context.Context, prompt Prompt) (Credential, error) {
		credential, err := c(ctx, prompt)
		credential.Realm = realm
		return credential, err
	}
}

// credential calls c for the credential and gives an error its class.
func (c Credentials) credential(ctx context.Context, mechanism string, srv *ServerInfo) (Credential, error) {
	if c == nil {
		return Credential{}, configError("%s has no Credentials: pass Credentials to the mechanism", mechanism)
	}
	credential, err := c(ctx, Prompt{Mechanism: mechanism, Server: *srv})
	if err != nil {
		return Credential{}, credentialError(ctx, err)
	}
	return credential, nil
}

// password calls Password and gives an error its class.
func (c Credential) password(ctx context.Context) ([]byte, error) {
	if c.Password == nil {
		return nil, configError("the credential has no password: set Credential.Password")
	}
	secret, err := c.Password(ctx)
	if err != nil {
		return nil, credentialError(ctx, err)
	}
	return secret.Bytes(), nil
}

// unpreparedPassword returns the password for a mechanism that uses the password
// without preparation (RFC 4616 s2).
func (c Credential) unpreparedPassword(ctx context.Context) ([]byte, error) {
	password, err := c.password(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(password) == 0:
		return nil, configError("the password is empty")
	case bytes.IndexByte(password, 0) >= 0: // in PLAIN, a NUL would move the borders between the parts
		return nil, configError("the password has a NUL")
	case !utf8.Valid(password):
		return nil, configError("the password is not UTF-8")
	case len(password) > maxMessage/2:
		return nil, configError("the password is over 32 KiB")
	}
	return password, nil
}

// checkNames checks the names for a mechanism that sends them without preparation.
func (c Credential) checkNames() error {
	if c.Username == "" {
		return configError("the username is empty")
	}
	if err := checkName(c.Username); err != nil {
		return configError("the username %w", err)
	}
	if err := checkName(c.Authzid); err != nil {
		return configError("the authzid %w", err)
	}
	return nil
}

// checkNoAuthzid refuses an authzid for a mechanism whose messages have no room for
// one.
func (c Credential) checkNoAuthzid(mechanism string) error {
	if c.Authzid != "" {
		return configError("%s cannot act as another identity: leave Authzid empty, or use another mechanism", mechanism)
	}
	return nil
}

func credentialError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	return withClass(err, ErrConfig)
}
