package sasl_test

import (
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestServerMaySpeakLast shows that only a mechanism that declares SingleMessage, ours
// or another module's, always ends without an empty response.
func TestServerMaySpeakLast(t *testing.T) {
	for name, row := range map[string]struct {
		mechanism   sasl.Mechanism
		successData bool
		want        bool
	}{
		"PLAIN":                        {sasl.Plain(pencil), false, false},
		"SCRAM":                        {sasl.SCRAM(sasl.SHA256, pencil), false, true},
		"SCRAM with success data":      {sasl.SCRAM(sasl.SHA256, pencil), true, false},
		"another module's, declared":   {declared{"X-TEST", sasl.Properties{SingleMessage: true}}, false, false},
		"another module's, undeclared": {trivial("X-TEST"), false, true},
	} {
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}}
		session, err := client.Begin(t.Context(), sasl.ServerInfo{Secure: true, SuccessData: row.successData, Mechanisms: []string{row.mechanism.Name()}})
		if err != nil {
			t.Fatal(err)
		}
		if got := session.ServerMaySpeakLast(); got != row.want || session.Mechanism() != row.mechanism.Name() {
			t.Errorf("%s: %t, want %t", name, got, row.want)
		}
	}
}
