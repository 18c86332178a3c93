package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	sasl "github.com/saslkit/saslkit/core"
)

// passwordVariable is the environment variable that may hold the password.
const passwordVariable = "SASLKIT_PASSWORD"

// passwordSource gives the password of a login.
type passwordSource struct {
	whose    string
	file     string       // "-" = the standard input, "" = the environment or the prompt
	fromFile *sasl.Secret // the content of any other file
	prompter *prompter    // nil = not needed so far
	prompted bool         // a person was asked
}

// newPasswordSource reads the file of the password, so that a mistake in its name is
// found before the connection is made.
func newPasswordSource(file, whose string) (*passwordSource, error) {
	source := &passwordSource{whose: whose, file: file}
	if file == "" || file == "-" {
		return source, nil
	}
	password, err := secretFromFile("--password-file", file)
	source.fromFile = &password
	return source, err
}

// password returns the password from the file, the environment or the prompt.
func (s *passwordSource) password(ctx context.Context) (sasl.Secret, error) {
	switch value, ok := os.LookupEnv(passwordVariable); {
	case s.fromFile != nil:
		return *s.fromFile, nil
	case s.file != "":
		return secretFromFile("--password-file", s.file)
	case ok:
		return sasl.NewSecret(value), nil
	}
	if s.prompter == nil {
		var err error
		if s.prompter, err = openPrompter(); err != nil {
			return sasl.Secret{}, err
		}
	}
	s.prompted = true
	return s.prompter.ask(ctx, "Password of "+s.whose+": ")
}

// check reports what is missing for a login that needs a password, before the
// connection is made.
func (s *passwordSource) check(t *target) error {
	if t.user == "" {
		return noUser(t)
	}
	if _, ok := os.LookupEnv(passwordVariable); ok || s.file != "" {
		return nil
	}
	var err error
	s.prompter, err = openPrompter()
	return err
}

// again returns the Retry of a Client: after a refused password that a person typed
// it asks for another one.
func (s *passwordSource) again(client *sasl.Client) func(context.Context, error) *sasl.Client {
	return func(_ context.Context, failed error) *sasl.Client {
		var login *sasl.LoginError
		if !s.prompted || !errors.As(failed, &login) || !slices.Contains(login.Hints, sasl.HintPassword) {
			return nil
		}
		fmt.Fprintln(os.Stderr, "saslkit: "+summary(failed))
		return client
	}
}
