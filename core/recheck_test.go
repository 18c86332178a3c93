package sasl_test

import (
	"errors"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestRecheck: a list that grew by something better is suspicious; every other
// change is the server's own business.
func TestRecheck(t *testing.T) {
	client := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("user", "pencil"))}
	bound := []sasl.ChannelBinding{{Type: "tls-exporter", Data: []byte("x")}}
	for name, row := range map[string]struct {
		before, after []string
		bindings      []sasl.ChannelBinding
		used          string
		suspicious    bool
	}{
		"the same":                  {[]string{"SCRAM-SHA-256", "PLAIN"}, []string{"SCRAM-SHA-256", "PLAIN"}, nil, "SCRAM-SHA-256", false},
		"something better":          {[]string{"PLAIN"}, []string{"SCRAM-SHA-256", "PLAIN"}, nil, "PLAIN", true},
		"another hash":              {[]string{"SCRAM-SHA-1"}, []string{"SCRAM-SHA-1", "SCRAM-SHA-256"}, nil, "SCRAM-SHA-1", true},
		"something that binds":      {[]string{"SCRAM-SHA-256"}, []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}, bound, "SCRAM-SHA-256", true},
		"nothing to bind to":        {[]string{"SCRAM-SHA-256"}, []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}, nil, "SCRAM-SHA-256", false},
		"something worse":           {[]string{"SCRAM-SHA-256"}, []string{"SCRAM-SHA-256", "PLAIN"}, nil, "SCRAM-SHA-256", false},
		"something we do not have":  {[]string{"PLAIN"}, []string{"GSSAPI", "PLAIN"}, nil, "PLAIN", false},
		"less":                      {[]string{"SCRAM-SHA-256", "PLAIN"}, []string{"PLAIN"}, nil, "SCRAM-SHA-256", false},
		"nothing readable after":    {[]string{"PLAIN"}, nil, nil, "PLAIN", false},
		"nothing readable before":   {nil, []string{"SCRAM-SHA-256", "PLAIN"}, nil, "PLAIN", false},
		"a run of another Client's": {[]string{"EXTERNAL"}, []string{"SCRAM-SHA-256", "EXTERNAL"}, nil, "EXTERNAL", false},
	} {
		srv := sasl.ServerInfo{Mechanisms: row.before, Secure: true, Bindings: row.bindings}
		err := client.Recheck(srv, sasl.Result{Mechanism: row.used}, row.after)
		if errors.Is(err, sasl.ErrSecurity) != row.suspicious || (err != nil) != row.suspicious {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBindingName: the gs2-header has the name, everything else the type.
func TestBindingName(t *testing.T) {
	client := &sasl.Client{
		Mechanisms:   []sasl.Mechanism{sasl.SCRAMPlus(sasl.SHA256, sasl.Password("user", "pencil"))},
		BindingTypes: []string{"tls-server-end-point"},
	}
	srv := sasl.ServerInfo{Mechanisms: []string{"SCRAM-SHA-256-PLUS"}, Secure: true, Bindings: []sasl.ChannelBinding{
		{Type: "tls-unique", Name: "ldap", Data: []byte("u")}, {Type: "tls-server-end-point", Name: "ldap", Data: []byte("e")},
	}}
	session, err := client.Begin(t.Context(), srv)
	if err != nil {
		t.Fatal(err)
	}
	_, initial, err := session.Start()
	if err != nil || string(initial[:len("p=ldap,,n=user,r=")]) != "p=ldap,,n=user,r=" {
		t.Errorf("%q, %v", initial, err)
	}
	srv.Bindings[1].Name = "no,name"
	if _, err := client.Begin(t.Context(), srv); !errors.Is(err, sasl.ErrConfig) {
		t.Errorf("a name that is none: %v", err)
	}
}
