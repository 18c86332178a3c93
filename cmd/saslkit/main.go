// Command saslkit authenticates to mail, directory and XMPP servers with any SASL
// mechanism, and reports the result.
//
//	saslkit auth imaps://alice@mail.example.org
//	saslkit demo
//	saslkit list
//
// The exit codes are:
//
//   - 0: authenticated;
//   - 1: the server refused the credentials or the identity;
//   - 2: invalid usage or configuration, or a lost output;
//   - 3: the server broke the protocol;
//   - 4: a possible attack, for example an untrusted certificate;
//   - 5: refused by the policy of saslkit or of the server;
//   - 6: the server was unreachable, closed the connection, was too slow, or
//     failed temporarily.
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
	out := &output{Writer: os.Stdout}
	root := rootCommand()
	root.SetOut(out)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = out.lost()
	}
	if err == nil {
		return 0
	}
	err = suggestCommand(root, err)
	fmt.Fprintln(os.Stderr, coloured(os.Stderr, red, "saslkit: "+summary(err)))
	for _, line := range advise(err) {
		fmt.Fprintln(os.Stderr, "saslkit: "+line)
	}
	if sasl.ClassOf(err) == "" && len(os.Args) > 1 && os.Args[1] == "auth" && slices.Contains(os.Args, "--json") { // cobra did not run the command
		report := newReport("")
		report.finish(usageError("%w", err), 0)
		report.writeJSON(out)
	}
	return exitCode(err)
}

// rootCommand returns the command with its subcommands.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:                "saslkit",
		Short:              "Authenticate with any SASL mechanism, and verify the server",
		Version:            thisBuild().String(),
		SilenceUsage:       true,
		SilenceErrors:      true,
		DisableSuggestions: true, // the command has its own
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(suggestFlag)
	root.AddCommand(authCommand(), demoCommand(), listCommand(), versionCommand())
	return root
}

// exitCode returns the exit code for an error. An error without a class comes from
// cobra, and is about the command line.
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
