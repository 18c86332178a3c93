package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	sasl "github.com/saslkit/saslkit/core"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
)

func listCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the mechanisms of this build",
		Long: `List the mechanisms of this build.

SIDES are client and server: saslkit auth is a client, and the servers of saslkit
demo have both sides. BINDING is the way of a mechanism to bind to the channel: by
its name, always, or never. USABLE says why this process cannot use a mechanism,
for example because FIPS 140 is enforced.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rows := listMechanisms(cmd.Context())
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
					Format     int               `json:"format"`
					Mechanisms []listedMechanism `json:"mechanisms"`
				}{jsonFormat, rows})
			}
			writeList(cmd.OutOrStdout(), rows)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// listedMechanism is a row of the list. The exported fields are those of --json.
type listedMechanism struct {
	Name        string   `json:"name"`
	Credentials string   `json:"credentials"`
	Sides       []string `json:"sides"`
	Binding     string   `json:"binding"` // by name, always or never
	Usable      bool     `json:"usable"`
	Reason      string   `json:"reason"` // why it is not usable
}

// listMechanisms describes every mechanism of the command.
func listMechanisms(ctx context.Context) (rows []listedMechanism) {
	var onServer []string
	for _, m := range new(demoUsers).server().Mechanisms {
		onServer = append(onServer, m.Name())
	}
	known := append(knownMechanisms(&target{scheme: "imap"}, "", "", demoCredentials, sasl.FixedBearerToken(demoUser, demoToken)), saslkerberos.Mechanisms(nil, nil)...)
	for _, m := range known {
		row := listedMechanism{Name: m.Name(), Credentials: credentialsOf(m), Sides: []string{"client"}, Binding: bindingOf(m)}
		if slices.Contains(onServer, row.Name) {
			row.Sides = append(row.Sides, "server")
		}
		err := unusable(ctx, m)
		if row.Usable = err == nil; err != nil {
			row.Reason = sasl.Printable(flagNames.Replace(err.Error()))
		}
		rows = append(rows, row)
	}
	for _, name := range demoTokens {
		rows = append(rows, listedMechanism{Name: name, Credentials: "token of an XMPP server", Sides: []string{"client", "server"}, Binding: "by name", Usable: true})
	}
	return rows
}

// credentialsOf says what a user needs for a mechanism.
func credentialsOf(m sasl.Mechanism) string {
	switch {
	case slices.Contains(mechanismNames(sasl.BearerMechanisms(nil)), m.Name()):
		return "token of OAuth 2.0"
	case slices.Contains(mechanismNames(saslkerberos.Mechanisms(nil, nil)), m.Name()):
		return "ticket of Kerberos"
	case !needsNoPassword(m):
		return "password"
	case m.Name() == "EXTERNAL":
		return "certificate or socket"
	}
	return "none"
}

func bindingOf(m sasl.Mechanism) string {
	declares, ok := m.(interface{ Properties() sasl.Properties })
	switch {
	case isPlus(m):
		return "by name"
	case ok && declares.Properties().Binds == sasl.BindsAlways:
		return "always"
	}
	return "never"
}

// unusable returns the reason why this process cannot use a mechanism, although the
// server and the connection allow it; nil = it can.
func unusable(ctx context.Context, m sasl.Mechanism) error {
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{m}}
	_, err := client.Begin(ctx, sasl.ServerInfo{
		Host: demoHost, Secure: true, Mechanisms: []string{m.Name()},
		Bindings: []sasl.ChannelBinding{{Type: "tls-exporter", Data: []byte("data")}},
	})
	var login *sasl.LoginError
	if errors.As(err, &login) && len(login.PassedOver) > 0 {
		return login.PassedOver[0].Reason
	}
	return err
}

func writeList(w io.Writer, rows []listedMechanism) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer table.Flush()
	fmt.Fprintln(table, "MECHANISM\tCREDENTIALS\tSIDES\tBINDING\tUSABLE")
	for _, row := range rows {
		usable := "yes"
		if !row.Usable {
			usable = "no: " + row.Reason
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", row.Name, row.Credentials, strings.Join(row.Sides, ", "), row.Binding, usable)
	}
}
