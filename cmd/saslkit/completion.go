package main

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	sasl "github.com/saslkit/saslkit/core"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
)

// bindingPolicies are the values of --channel-binding.
var bindingPolicies = []string{"prefer", "require", "disable", "tls-exporter", "tls-server-end-point", "tls-unique"}

// completeAuth gives the shell the values of the flags and the schemes of the URL.
func completeAuth(cmd *cobra.Command) {
	known := append(knownMechanisms(&target{scheme: "imap"}, "", "", nil, nil), saslkerberos.Mechanisms(nil, nil)...)
	names := append(mechanismNames(known), demoTokens...)
	for flag, values := range map[string][]string{
		"mechanism": names, "allow-insecure": names, "channel-binding": bindingPolicies,
		"tls-min": {"1.2", "1.3"}, "tls-max": {"1.2", "1.3"}, "trace": {traceSteps, traceWire},
		"layer": {string(sasl.NoLayer), string(sasl.IntegrityLayer), string(sasl.ConfidentialityLayer)},
	} {
		cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	for _, flag := range []string{"user", "authzid", "connect", "timeout", "min-iterations", "max-iterations", "token-command", "accept-host", "principal", "service-principal", "count"} {
		cmd.RegisterFlagCompletionFunc(flag, cobra.NoFileCompletions)
	}
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) (urls []string, _ cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		for _, scheme := range slices.Sorted(maps.Keys(schemes)) {
			urls = append(urls, scheme+"://")
		}
		return urls, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}
