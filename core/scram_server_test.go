package sasl_test

import (
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestUsernameEncoding shows that a name that is not UTF-8 has a server-error-value
// of its own (RFC 5802 s7), and that a message that is not UTF-8 has another value.
func TestUsernameEncoding(t *testing.T) {
	server := &sasl.Server{Key: serverKey, Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(sasl.SHA256, scramStore(t, "user", nil))}}
	for message, want := range map[string]string{
		"n,,n=us\xffer,r=x":         "e=invalid-username-encoding",
		"n,a=us\xffer,n=user,r=x":   "e=invalid-username-encoding",
		"n,,n=us=er,r=x":            "e=invalid-username-encoding",
		"n,,n=user,r=x,x=\xff":      "e=invalid-encoding",
		"n,,n=user,r=x,m=mandatory": "e=extensions-not-supported",
		"n,,n=,r=x":                 "e=other-error",
	} {
		session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true}, "SCRAM-SHA-256")
		if err != nil {
			t.Fatal(err)
		}
		answer, _, err := session.Respond(t.Context(), []byte(message))
		if string(answer) != want || err != nil {
			t.Errorf("%q: %q, %v, want %q", message, answer, err, want)
		}
	}
}

// TestStoredIterations shows that a stored record with an absurd count causes no
// work.
func TestStoredIterations(t *testing.T) {
	record := *derive(t, sasl.SHA256, "pencil")
	record.Iterations = 2_000_000_000
	if err := record.Check(t.Context(), sasl.NewSecret("pencil")); sasl.ClassOf(err) != sasl.ErrTemporary {
		t.Error(err)
	}
}
