// Command saslkit authenticates to mail and directory servers with any SASL
// mechanism and says what happened.
//
//	saslkit auth imaps://alice@mail.example.org
//	saslkit demo
//
// Its exit codes are 0 for success; 1 if the credentials or the identity were
// refused; 2 for a mistake in usage or configuration; 3 for a server that
// broke the protocol; 4 for what may be an attack, an untrusted certificate
// too; 5 for a refusal by policy, ours or the server's; 6 if the server could
// not be reached, was cut off, took too long or failed for the time being.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	sasl "github.com/saslkit/saslkit/core"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cobra.Command{
		Use:           "saslkit",
		Short:         "Authenticate with any SASL mechanism, verified to the last signature",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(authCommand(), demoCommand())
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "saslkit: "+oneLine(err))
	for _, line := range others(err) {
		fmt.Fprintln(os.Stderr, "saslkit: "+line)
	}
	if sasl.ClassOf(err) == "" && slices.Contains(os.Args, "--json") { // cobra did not get as far as the command
		report := newReport("")
		report.finish(usageError("%w", err), 0)
		report.writeJSON(os.Stdout)
	}
	return exitCode(err)
}

// exitCode is the exit code for an error. One without a class is cobra's, about
// the command line.
func exitCode(err error) int {
	if errors.Is(err, errDemo) {
		return 1
	}
	switch sasl.ClassOf(err) {
	case sasl.ErrAuthentication, sasl.ErrAuthorization:
		return 1
	case sasl.ErrProtocol:
		return 3
	case sasl.ErrSecurity:
		return 4
	case sasl.ErrPolicy:
		return 5
	case sasl.ErrConnection, sasl.ErrTemporary:
		return 6
	}
	return 2
}
