package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// flagNames replaces the Go identifiers in the texts of the library with the flags
// of this command.
var flagNames = strings.NewReplacer(
	"nothing confirms its channel binding, and RequireBinding demands a confirmation unless ServerInfo.EnforcesBinding is set",
	"nothing confirms its channel binding, and --channel-binding require demands a confirmation without --server-enforces-binding",
	"BindingTypes excludes", "--channel-binding excludes",
	"RequireBinding demands", "--channel-binding require demands",
	"DisableBinding", "--channel-binding disable",
	"ServerInfo.Layer demands", "--layer demands",
	"crypto/tls did not verify the server's certificate, because the tls.Config has InsecureSkipVerify; set RootCAs instead, or assert Secure if a callback verifies it",
	"the server's certificate is not verified",
	"use DialTLS or DialStartTLS", "use imaps, or imap with STARTTLS",
	"not among Tokens.Mechanisms", "not among the mechanisms of --mechanism",
)

// summary returns an error as one line: what happened and, in the words of the
// server, why. The advice is apart. The line is printable, because parts of the
// error may be words of the server.
func summary(err error) string {
	text := err.Error()
	var login *sasl.LoginError
	if errors.As(err, &login) && !login.ByServer && login.PassedOver != nil { // others prints each reason on its own line
		text, _, _ = strings.Cut(text, "; ")
	}
	if errors.Is(err, saslldap.ErrNoList) || errors.Is(err, saslimap.ErrLoginCommand) {
		text, _, _ = strings.Cut(text, ": set Options.") // the advice for Go programmers
	}
	if failure := new(sasl.Failure); errors.As(err, &failure) {
		text = refusal(text, failure)
	}
	if port := new(transport.PortError); errors.As(err, &port) {
		text = strings.Replace(text, "; "+port.Advice, "", 1)
	}
	return sasl.Printable(flagNames.Replace(strings.ReplaceAll(text, "\n", "; ")))
}

// refusal says in a text who refuses, before the reason.
func refusal(text string, failure *sasl.Failure) string {
	before, after := "refused", "the server refuses the login"
	if condition := sasl.Printable(string(failure.Condition)); condition != "" {
		before, after = before+" with "+condition, after+" ("+condition+")"
	}
	return strings.Replace(text, "error: "+before, "error: "+after, 1)
}

// lateError is the error of a login that --timeout has ended.
type lateError struct {
	limit time.Duration
	err   error // of the step that was interrupted
}

// Error names the step. The interrupted step itself has nothing to say.
func (e *lateError) Error() string {
	text := fmt.Sprintf("%v: the login took longer than %s", sasl.ErrConnection, e.limit)
	var step *transport.StepError
	switch {
	case !errors.As(e.err, &step):
		return text
	case step.Address == "":
		return fmt.Sprintf("%s (step: %s)", text, step.Step)
	}
	return fmt.Sprintf("%s (step: %s, address: %s)", text, step.Step, step.Address)
}

func (e *lateError) Unwrap() []error {
	return []error{sasl.ErrConnection, context.DeadlineExceeded, e.err}
}

// timedOut turns the error of a context that the clock has ended into a timeout. An
// error that has another reason keeps it.
func (c *clock) timedOut(ctx context.Context, err error) error {
	if context.Cause(ctx) == context.DeadlineExceeded && errors.Is(err, context.Canceled) && sasl.ClassOf(err) == sasl.ErrConnection {
		return &lateError{c.timeout, err}
	}
	return err
}
