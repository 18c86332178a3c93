package sasl_test

import (
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestRecheck: the list that is read after a run is held against the run only
// where it has something that would have been preferred, and could have been.
func TestRecheck(t *testing.T) {
	credentials := sasl.Password("user", "pencil")
	for name, row := range map[string]struct {
		client        sasl.Client
		before, after string
		bindings      []sasl.ChannelBinding
		used          string
		security      bool
	}{
		"the same":                {before: "PLAIN SCRAM-SHA-256", after: "PLAIN SCRAM-SHA-256", used: "SCRAM-SHA-256"},
		"worse":                   {before: "SCRAM-SHA-256", after: "PLAIN SCRAM-SHA-1", used: "SCRAM-SHA-256"},
		"less":                    {before: "PLAIN SCRAM-SHA-256", after: "PLAIN", used: "SCRAM-SHA-256"},
		"better":                  {before: "PLAIN", after: "PLAIN SCRAM-SHA-256", used: "PLAIN", security: true},
		"a better hash":           {before: "SCRAM-SHA-1", after: "SCRAM-SHA-1 SCRAM-SHA-512", used: "SCRAM-SHA-1", security: true},
		"bound":                   {before: "SCRAM-SHA-256", after: "SCRAM-SHA-256 SCRAM-SHA-256-PLUS", bindings: []sasl.ChannelBinding{exporter}, used: "SCRAM-SHA-256", security: true},
		"bound, but not we":       {before: "SCRAM-SHA-256", after: "SCRAM-SHA-256 SCRAM-SHA-256-PLUS", used: "SCRAM-SHA-256"},
		"bound, but not allowed":  {client: sasl.Client{Binding: sasl.DisableBinding}, before: "SCRAM-SHA-256", after: "SCRAM-SHA-256 SCRAM-SHA-256-PLUS", bindings: []sasl.ChannelBinding{exporter}, used: "SCRAM-SHA-256"},
		"none of ours":            {before: "PLAIN", after: "PLAIN GSSAPI", used: "PLAIN"},
		"preferred the other way": {client: sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(credentials), sasl.SCRAM(sasl.SHA256, credentials)}}, before: "PLAIN", after: "PLAIN SCRAM-SHA-256", used: "PLAIN"},
		"refused by the policy": {client: sasl.Client{Allow: func(mechanism string, _ sasl.ServerInfo) error {
			if mechanism != "PLAIN" {
				return errors.New("not here")
			}
			return nil
		}}, before: "PLAIN", after: "PLAIN SCRAM-SHA-256", used: "PLAIN"},
		"unreadable before":       {before: "", after: "PLAIN SCRAM-SHA-256", used: "PLAIN"},
		"unreadable after":        {before: "PLAIN", after: "", used: "PLAIN"},
		"of another of Retry":     {before: "PLAIN", after: "PLAIN SCRAM-SHA-256", used: "OTHER"},
		"of another of the lists": {before: "PLAIN", after: "SCRAM-SHA-256", used: "PLAIN", security: true},
	} {
		t.Run(name, func(t *testing.T) {
			if row.client.Mechanisms == nil {
				row.client.Mechanisms = sasl.PasswordMechanisms(credentials)
			}
			srv := sasl.ServerInfo{Mechanisms: strings.Fields(row.before), Secure: true, Bindings: row.bindings}
			err := row.client.Recheck(srv, sasl.Result{Mechanism: row.used}, strings.Fields(row.after))
			if (err != nil) != row.security || row.security && !errors.Is(err, sasl.ErrSecurity) {
				t.Error(err)
			}
			if strings.Join(srv.Mechanisms, " ") != row.before {
				t.Error("the list was changed")
			}
		})
	}
}
