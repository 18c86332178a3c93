package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// tokenVariable is the environment variable that may hold a token of OAuth 2.0.
const tokenVariable = "SASLKIT_TOKEN"

// bearerSource returns the source of the token that the flags or the environment
// name; nil = there is no token. A flag for other credentials precedes the
// environment.
func (f *authFlags) bearerSource(t *target) (sasl.BearerSource, error) {
	value, inEnvironment := os.LookupEnv(tokenVariable)
	switch {
	case f.tokenFile != "" && f.tokenCommand != "":
		return nil, usageError("--token-file and --token-command exclude each other: omit one of the flags")
	case f.namesToken() && f.passwordFile != "":
		return nil, usageError("a token and --password-file exclude each other: omit one of the flags")
	case f.tokenCommand != "":
		return f.bearer(t, f.tokenFromCommand, true), nil
	case f.tokenFile == "-":
		return f.bearer(t, func(context.Context) (sasl.Secret, error) { return secretFromFile("--token-file", "-") }, false), nil
	case f.tokenFile != "":
		token, err := secretFromFile("--token-file", f.tokenFile)
		return f.bearer(t, fixed(token), false), err
	case inEnvironment && f.passwordFile == "" && f.certFile == "":
		return f.bearer(t, fixed(sasl.NewSecret(strings.TrimRight(value, "\r\n"))), false), nil
	}
	return nil, nil
}

// namesToken reports whether a flag names the source of a token.
func (f *authFlags) namesToken() bool { return f.tokenFile != "" || f.tokenCommand != "" }

func fixed(token sasl.Secret) func(context.Context) (sasl.Secret, error) {
	return func(context.Context) (sasl.Secret, error) { return token, nil }
}

// bearer returns a source that gets its token from a func. A renewable source is
// asked once more after a refusal.
func (f *authFlags) bearer(t *target, token func(context.Context) (sasl.Secret, error), renewable bool) sasl.BearerSource {
	authzid := f.authzid
	if authzid == "" && t.isXMPP() && t.user != "" {
		authzid = t.user + "@" + t.host // the message has one name, and RFC 6120 s6.3.8 demands an address
	}
	return func(ctx context.Context, _ sasl.Prompt) (sasl.BearerToken, error) {
		secret, err := token(ctx)
		f.wire.conceal(secret)
		return sasl.BearerToken{Username: t.user, Authzid: authzid, Token: secret, Renewable: renewable}, err
	}
}

// tokenFromCommand runs the program of --token-command in a shell and returns the
// first line that it prints. The program gets neither the token nor the password of
// the environment. Its messages on standard error are shown.
func (f *authFlags) tokenFromCommand(ctx context.Context) (sasl.Secret, error) {
	name, args := "sh", []string{"-c", f.tokenCommand}
	if runtime.GOOS == "windows" {
		name, args = "cmd", []string{"/C", f.tokenCommand}
	}
	var output boundedOutput
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, tokenVariable+"=") || strings.HasPrefix(entry, passwordVariable+"=")
	})
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, &output, os.Stderr
	cmd.WaitDelay = time.Second // for programs of the shell that keep the output open
	endWithGroup(cmd)
	err := cmd.Run()
	if ctx.Err() != nil {
		return sasl.Secret{}, fmt.Errorf("%w: --token-command was running: %w", sasl.ErrConnection, ctx.Err())
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return sasl.Secret{}, usageError("--token-command failed (%s) and gave no token: run it by hand", exit.ProcessState)
	}
	if err != nil {
		return sasl.Secret{}, usageError("--token-command: %w", err)
	}
	token, err := secretFromLine("--token-command", &output.buffer)
	if err == nil && len(token.Bytes()) == 0 {
		return token, usageError("--token-command printed no token in its first line: print the token there")
	}
	return token, err
}

// boundedOutput keeps the beginning of an output, as much as a secret may have, and
// drops the rest.
type boundedOutput struct{ buffer bytes.Buffer }

func (o *boundedOutput) Write(p []byte) (int, error) {
	if room := maxSecret + 2 - o.buffer.Len(); room > 0 {
		o.buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
