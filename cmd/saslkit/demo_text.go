package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	sasl "github.com/saslkit/saslkit/core"
)

// demoBindings are the columns of the table of mechanisms.
var demoBindings = []string{"", "tls-exporter", "tls-server-end-point", "tls-unique"}

// writeMechanisms prints one row for each mechanism, with the bindings as columns, and
// then the logins that failed.
func writeMechanisms(w io.Writer, logins []login) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MECHANISM\tNOT BOUND\tTLS-EXPORTER\tTLS-SERVER-END-POINT\tTLS-UNIQUE")
	var names []string
	for i := range logins {
		if name := logins[i].name(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		row := name
		for _, binding := range demoBindings {
			row += "\t" + demoCell(logins, name, binding)
		}
		fmt.Fprintln(table, row)
	}
	table.Flush()
	for i := range logins {
		if l := &logins[i]; l.err != nil {
			fmt.Fprintf(w, "FAILED: %s with %s, %s: %s\n", l.name(), l.scheme, tls.VersionName(l.version), summary(l.err))
		}
	}
}

// demoCell returns the number of logins with a mechanism and a binding that
// succeeded; "-" if there is no such login.
func demoCell(logins []login, name, binding string) string {
	succeeded, failed := 0, 0
	for i := range logins {
		switch l := &logins[i]; {
		case l.name() != name || l.binding != binding:
		case l.err != nil:
			failed++
		default:
			succeeded++
		}
	}
	switch {
	case failed > 0:
		return fmt.Sprintf("FAILED (%d of %d)", failed, failed+succeeded)
	case succeeded == 0:
		return "-"
	}
	return fmt.Sprintf("%d ok", succeeded)
}

// writeSentences prints each attack in sentences, with the protocols.
func writeSentences(w io.Writer, attacks []attack) {
	fmt.Fprintln(w, "Attacks, over IMAP, SMTP and XMPP:")
	var names []string
	for i := range attacks {
		if slices.Contains(names, attacks[i].name) {
			continue
		}
		names = append(names, attacks[i].name)
		fmt.Fprintf(w, "- %s The login fails with: %v.\n", attacks[i].sentence, attacks[i].want)
	}
	for i := range attacks {
		if a := &attacks[i]; a.wrong() {
			fmt.Fprintf(w, "WRONG: %s with %s: %s\n", a.name, a.scheme, a.outcome())
		}
	}
}

// outcome returns the class of the error of an attack.
func (a *attack) outcome() string {
	if a.err == nil {
		return "AUTHENTICATED"
	}
	return string(sasl.ClassOf(a.err)) + " error"
}

// writeLogins prints each login in a row of its own.
func writeLogins(w io.Writer, logins []login) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer table.Flush()
	fmt.Fprintln(table, "PROTOCOL\tMECHANISM\tBINDING\tTLS\tROUND TRIPS\tTIME\tOUTCOME")
	for i := range logins {
		l := &logins[i]
		binding, outcome := l.binding, "authenticated"
		if binding == "" {
			binding = "-"
		}
		if l.err != nil {
			outcome = "FAILED: " + summary(l.err)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%.1f ms\t%s\n", l.scheme, l.name(), binding,
			tls.VersionName(l.version)[len("TLS "):], l.result.RoundTrips, float64(l.took.Microseconds())/1000, outcome)
	}
}

// writeAttacks prints each attack in a row of its own.
func writeAttacks(w io.Writer, attacks []attack) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer table.Flush()
	fmt.Fprintln(table, "PROTOCOL\tATTACK\tOUTCOME\tWHY")
	for i := range attacks {
		a := &attacks[i]
		outcome, why := a.outcome(), ""
		if a.err != nil {
			why = strings.TrimPrefix(summary(a.err), outcome+": ")
		}
		if a.wrong() {
			outcome = "WRONG: " + outcome
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", a.scheme, a.name, outcome, why)
	}
}
